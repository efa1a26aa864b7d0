/** The span of a request and those below it, as a tracer of the program sees them, on both drivers of the course. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { createServer } from "node:http"
import { request } from "undici"
import { AuditLog } from "../../src/audit/AuditLog.ts"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { layerVerifier } from "../../src/embed/layers.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import * as NodeGatewayClient from "../../src/node/NodeGatewayClient.ts"
import { everything } from "../../src/testing/records.ts"
import { PropagatesContext } from "../../src/trace/traceContext.ts"
import { eventually } from "../fixtures/eventually.ts"
import { message, ping, toolCall } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { hang, jsonRpc, respond } from "../support/upstreamResponses.ts"

/** A tracer that keeps every span that has ended. */
const makeTracer = () => {
  const ended: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        if (span.status._tag === "Started") ended.push(span)
        end(time, exit)
      }
      return span
    }
  })
  return { tracer, ended }
}

const drivers = {
  effects: (config: Layer.Layer<GatewayConfig>) =>
    Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
      Layer.provide(HttpApp.layerWith({})),
      Layer.provide([layerVerifier, NodeGatewayClient.layer]),
      Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 })),
      Layer.provide(config),
      Layer.orDie
    ),
  callbacks: (config: Layer.Layer<GatewayConfig>) =>
    NodeGateway.layerUnannounced().pipe(Layer.provide(config), Layer.orDie)
}

/** Whether a span is the gateway's for a request. Effect's server has one around it, for the HTTP exchange. */
const isOwnServer = (driver: keyof typeof drivers) => ({ kind, parent }: Tracer.Span): boolean =>
  kind === "server" && (driver === "callbacks" || (Option.isSome(parent) && parent.value._tag === "Span"))

interface Options {
  readonly overrides?: Partial<GatewaySettings>
  readonly propagates?: boolean
}

const start = Effect.fnUntraced(
  function*(driver: keyof typeof drivers, { overrides, propagates = true }: Options = {}) {
    const upstream = yield* makeRecordingUpstream
    const { ended, tracer } = makeTracer()
    const config = Layer.succeed(GatewayConfig, settings(`${upstream.origin}/mcp`, overrides))
    const context = yield* Layer.build(
      drivers[driver](config).pipe(
        Layer.provide([Layer.succeed(Tracer.Tracer, tracer), Layer.succeed(PropagatesContext, propagates)]),
        Layer.provideMerge(LogCapture.layer)
      )
    )
    const log = Context.get(context, LogCapture)
    const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)

    const call = Effect.fnUntraced(function*(
      { body = ping, headers = {}, method = "POST", path = "/mcp", token = "dev-token" }: {
        readonly body?: string | null
        readonly headers?: Readonly<Record<string, string>>
        readonly method?: "GET" | "POST"
        readonly path?: string
        readonly token?: string
      } = {}
    ) {
      const before = ended.length
      const response = yield* Effect.promise(() =>
        request(`${origin}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
          body
        })
      )
      yield* Effect.promise(() => response.body.text())
      const isServer = isOwnServer(driver)
      if (!path.endsWith("z")) yield* eventually(() => ended.slice(before).some(isServer))
      const spans = ended.slice(before)
      return {
        response,
        spans,
        server: spans.find(isServer),
        forwards: spans.filter(({ name }) => name === "mcp-authorizer.forward")
      }
    })

    const lines = () => log.entries().map((entry) => JSON.parse(entry.split("\n", 1)[0] ?? ""))
    return { call, ended, origin, upstream, lines }
  }
)

const onBoth = (
  name: string,
  test: (driver: keyof typeof drivers) => Effect.Effect<void, never, Scope.Scope>
) => {
  for (const driver of ["effects", "callbacks"] as const) it.live(`${name} (${driver})`, () => test(driver))
}

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"

const attributesOf = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])

describe("the span of a request", () => {
  onBoth(
    "is named after the message, and has the attributes of MCP's and of HTTP's conventions",
    (driver) =>
      Effect.gen(function*() {
        const { call } = yield* start(driver)
        const { server } = yield* call({
          body: toolCall("search_notes"),
          headers: { "mcp-protocol-version": "2025-11-25", "mcp-session-id": "s-canary-1" }
        })
        assert.strictEqual(server?.name, "tools/call search_notes")
        assert.strictEqual(server?.kind, "server")
        const attributes = attributesOf(server)
        assert.deepInclude(attributes, {
          "mcp.method.name": "tools/call",
          "gen_ai.tool.name": "search_notes",
          "gen_ai.operation.name": "execute_tool",
          "mcp.protocol.version": "2025-11-25",
          "http.request.method": "POST",
          "http.response.status_code": 200,
          "http.route": "/mcp",
          "url.path": "/mcp",
          "client.address": "127.0.0.1",
          "network.protocol.name": "http",
          "network.protocol.version": "1.1",
          "network.transport": "tcp",
          "mcp_authorizer.provider": "static"
        })
        assert.match(String(attributes["mcp.session.id"]), /^[0-9a-f]{16}$/)
        assert.match(String(attributes["user.hash"]), /^[0-9a-f]{16}$/)
        assert.strictEqual(server?.status._tag === "Ended" && server.status.exit._tag, "Success")
      })
  )

  onBoth(
    "is named after a prompt, a method, or the route where no message was read",
    (driver) =>
      Effect.gen(function*() {
        const { call } = yield* start(driver)
        const nameOf = (options: Parameters<typeof call>[0]) => Effect.map(call(options), ({ server }) => server?.name)
        assert.strictEqual(yield* nameOf({ body: message("prompts/get", `{"name":"greet"}`) }), "prompts/get greet")
        assert.strictEqual(
          yield* nameOf({ body: message("resources/read", `{"uri":"file:///a?b"}`) }),
          "resources/read"
        )
        assert.strictEqual(yield* nameOf({ body: `[${ping},${ping}]` }), "POST /mcp")
        assert.strictEqual(yield* nameOf({ body: "{" }), "POST /mcp")
        assert.strictEqual(yield* nameOf({ body: null, method: "GET" }), "GET /mcp")
        assert.strictEqual(yield* nameOf({ body: ping, token: "wrong" }), "POST /mcp")
        assert.strictEqual(yield* nameOf({ body: null, method: "GET", path: "/elsewhere" }), "GET")
      })
  )

  onBoth(
    "continues the client's trace, and the MCP server's continues the span of forwarding",
    (driver) =>
      Effect.gen(function*() {
        const { call, upstream } = yield* start(driver)
        const { forwards, server } = yield* call({ headers: { traceparent: parent, tracestate: "vendor=a:b,other=1" } })
        assert.strictEqual(server?.traceId, traceId)
        const outer = Option.getOrUndefined(server?.parent ?? Option.none())
        const remote = outer?._tag === "Span" ? Option.getOrUndefined(outer.parent) : outer
        assert.strictEqual(remote?.spanId, "00f067aa0ba902b7")
        assert.strictEqual(forwards.length, 1)
        assert.strictEqual(forwards[0]?.kind, "client")
        assert.strictEqual(Option.getOrUndefined(forwards[0]?.parent ?? Option.none())?.spanId, server?.spanId)
        const [sent] = upstream.requests()
        assert.deepStrictEqual(sent?.headers("traceparent"), [`00-${traceId}-${forwards[0]?.spanId}-01`])
        assert.deepStrictEqual(sent?.headers("tracestate"), ["vendor=a:b,other=1"])
        assert.deepStrictEqual(sent?.headers("b3"), [])
      })
  )

  onBoth("does not sample what the client did not sample", (driver) =>
    Effect.gen(function*() {
      const { call, upstream } = yield* start(driver)
      const { server } = yield* call({ headers: { traceparent: parent.replace(/01$/, "00") } })
      assert.strictEqual(server?.sampled, false)
      assert.match(upstream.requests()[0]?.headers("traceparent")[0] ?? "", new RegExp(`^00-${traceId}-.{16}-00$`))
    }))

  onBoth(
    "begins a trace of its own where the client's context is not valid, without its state",
    (driver) =>
      Effect.gen(function*() {
        const { call, upstream } = yield* start(driver)
        for (
          const traceparent of [
            "00-xyz",
            `${parent}-more`,
            parent.replace(traceId, "0".repeat(32)),
            `ff${parent.slice(2)}`
          ]
        ) {
          yield* upstream.reset
          const { forwards, server } = yield* call({ headers: { traceparent, tracestate: "vendor=1" } })
          assert.notStrictEqual(server?.traceId, traceId)
          const [sent] = upstream.requests()
          assert.deepStrictEqual(sent?.headers("traceparent"), [`00-${server?.traceId}-${forwards[0]?.spanId}-01`])
          assert.deepStrictEqual(sent?.headers("tracestate"), [])
        }
      })
  )

  onBoth(
    "leaves the client's fields as they are where contexts are not propagated",
    (driver) =>
      Effect.gen(function*() {
        const { call, upstream } = yield* start(driver, { propagates: false })
        yield* call({ headers: { traceparent: parent, tracestate: "vendor=1" } })
        const [sent] = upstream.requests()
        assert.deepStrictEqual(sent?.headers("traceparent"), [parent])
        assert.deepStrictEqual(sent?.headers("tracestate"), ["vendor=1"])
      })
  )

  onBoth(
    "has its ids in the log line, where the id of the request has a field of its own",
    (driver) =>
      Effect.gen(function*() {
        const { call, lines } = yield* start(driver)
        const one = yield* call({ headers: { "x-trace-id": "mine" } })
        const two = yield* call()
        const entries = lines().filter((entry) => entry.message === "request")
        assert.deepInclude(entries[0].annotations, { trace_id: one.server?.traceId, request_id: "mine" })
        assert.strictEqual(one.response.headers["x-trace-id"], "mine")
        assert.strictEqual(entries[1].annotations.trace_id, two.server?.traceId)
        assert.notProperty(entries[1].annotations, "request_id")
        assert.strictEqual(two.response.headers["x-trace-id"], two.server?.traceId)
      })
  )

  onBoth("fails for what is the fault of this side, and not for a rejection", (driver) =>
    Effect.gen(function*() {
      const { call, upstream } = yield* start(driver)
      const rejected = yield* call({ token: "wrong-c4n4ry" })
      assert.deepInclude(attributesOf(rejected.server), {
        "http.response.status_code": 401,
        "error.type": "InvalidToken",
        "mcp_authorizer.reason": "UnknownToken"
      })
      assert.strictEqual(rejected.server?.status._tag === "Ended" && rejected.server.status.exit._tag, "Success")
      assert.notProperty(attributesOf(rejected.server), "user.hash")

      yield* upstream.respondWith(respond({ status: 503 }))
      const broken = yield* call()
      assert.strictEqual(broken.server?.status._tag === "Ended" && broken.server.status.exit._tag, "Failure")
      assert.strictEqual(attributesOf(broken.forwards[0])["error.type"], "503")
      yield* upstream.respondWith(jsonRpc)
    }))

  onBoth("shows no token, no session and no query", (driver) =>
    Effect.gen(function*() {
      const { call, ended } = yield* start(driver)
      yield* call({
        body: toolCall("dev-token"),
        path: "/mcp?q=c4n4ry-query",
        headers: { "mcp-session-id": "c4n4ry-session", cookie: "c4n4ry-cookie" }
      })
      yield* call({ token: "c4n4ry-token", path: "/mcp?access_token=c4n4ry-other" })
      yield* call({ token: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjNG40cnktc3ViamVjdCJ9.c4n4ry" })
      const own = ended.filter((span) => span.kind !== "server" || isOwnServer(driver)(span))
      const texts = everything(own.map((span) => [
        span.name,
        [...span.attributes],
        span.events,
        // The success value of an effect is not exported.
        span.status._tag === "Ended" && span.status.exit._tag === "Failure" ? span.status.exit : undefined
      ]))
      for (const secret of ["c4n4ry", "eyJhbGci", "dev-token", "dev-user"]) assert.notInclude(texts, secret)
    }))

  it.live("is not exported for a probe of a load balancer (callbacks)", () =>
    Effect.gen(function*() {
      const { call, ended } = yield* start("callbacks")
      const { response } = yield* call({ body: null, method: "GET", path: "/healthz" })
      assert.strictEqual(response.statusCode, 200)
      assert.deepStrictEqual(ended, [])
    }))

  it.live("ends with the client that leaves, and so does the span of forwarding (callbacks)", () =>
    Effect.gen(function*() {
      const { ended, origin, upstream } = yield* start("callbacks", { overrides: { upstreamTimeoutMillis: 60_000 } })
      yield* upstream.respondWith(hang)
      const leaves = new AbortController()
      const left = request(`${origin}/mcp`, {
        method: "POST",
        headers: { authorization: "Bearer dev-token", "content-type": "application/json" },
        body: ping,
        signal: leaves.signal
      }).catch(() => undefined)
      yield* upstream.awaitRequest()
      ended.length = 0
      leaves.abort()
      yield* Effect.promise(() => left)
      yield* eventually(() => ended.length === 2)
      const [forward, server] = ended
      assert.strictEqual(attributesOf(forward)["error.type"], "cancelled")
      assert.deepInclude(attributesOf(server), {
        "mcp_authorizer.ended": "client left",
        "http.response.status_code": 499
      })
    }))
})

describe("audit entries", () => {
  it.live("have the ids of the trace and of the span", () =>
    Effect.gen(function*() {
      const entries: Array<Readonly<Record<string, unknown>>> = []
      const upstream = yield* makeRecordingUpstream
      const { ended, tracer } = makeTracer()
      const config = Layer.succeed(GatewayConfig, settings(`${upstream.origin}/mcp`))
      const context = yield* Layer.build(
        Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
          Layer.provide(
            HttpApp.layerWith({ audit: Layer.succeed(AuditLog, (entry) => void entries.push({ ...entry })) })
          ),
          Layer.provide([layerVerifier, NodeGatewayClient.layer]),
          Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 })),
          Layer.provide([config, Layer.succeed(Tracer.Tracer, tracer)])
        )
      )
      const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
      const response = yield* Effect.promise(() =>
        request(`${origin}/mcp`, {
          method: "POST",
          headers: { authorization: "Bearer dev-token", "content-type": "application/json" },
          body: toolCall("a")
        })
      )
      yield* Effect.promise(() => response.body.text())
      yield* eventually(() => entries.length > 0)
      const server = ended.find(isOwnServer("effects"))
      assert.deepInclude(entries[0], { trace_id: server?.traceId, span_id: server?.spanId, tool: "a" })
    }))
})

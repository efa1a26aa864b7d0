/** The metrics of requests, on both drivers of the course. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as NetAddress from "effect/net/NetAddress"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { layerVerifier } from "../../src/embed/layers.ts"
import { layerFetch } from "../../src/forward/HttpGatewayClient.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { MeasureRequests } from "../../src/metrics/MeasureRequests.ts"
import { type MetricPoint, readPoints } from "../../src/metrics/MetricPoint.ts"
import { formatPoints } from "../../src/metrics/prometheus.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import type { Condition } from "../../src/rules/condition.ts"
import { eventually } from "../fixtures/eventually.ts"
import { initialize, message, ping, toolCall, toolsList } from "../fixtures/messages.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { jsonRpc, respond } from "../support/upstreamResponses.ts"

const credential = "canary-c0ffee-0123456789"

const drivers = {
  "as effects": Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
    Layer.provide(HttpApp.layer),
    Layer.provide([layerVerifier, layerFetch]),
    Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  ),
  "with callbacks": NodeGateway.layerUnannounced()
}

interface Asked {
  readonly bearer?: string | null
  readonly fields?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path?: string
}

const start = Effect.fnUntraced(function*(
  driver: keyof typeof drivers,
  overrides: Partial<GatewaySettings> = {},
  isOn = true
) {
  const upstream = yield* makeRecordingUpstream
  const registry: Metric.MetricRegistry = new Map()
  const config = settings(`${upstream.origin}/mcp`, {
    providers: [staticProvider([
      staticToken(credential, { subject: "canary-user", clientId: "canary-client", scopes: ["notes:read"] })
    ])],
    ...overrides
  })
  const context = yield* Layer.build(
    drivers[driver].pipe(
      Layer.provide(Layer.succeed(GatewayConfig, config)),
      Layer.provide(Layer.succeed(MeasureRequests, isOn)),
      Layer.provide(Layer.succeed(Metric.MetricRegistry, registry)),
      Layer.provideMerge(LogCapture.layer)
    )
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  const points = () => readPoints(Context.make(Metric.MetricRegistry, registry))
  const send = (
    body: string | undefined,
    { bearer = credential, fields = {}, method = body === undefined ? "GET" : "POST", path = "/mcp" }: Asked = {}
  ) =>
    Effect.promise(() =>
      fetch(`${origin}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...fields
        },
        ...(body === undefined ? {} : { body })
      })
    )
  return {
    upstream,
    points,
    send,
    /** Sends a request, waits until it was counted, and returns the status of its response. */
    ask: Effect.fnUntraced(function*(body: string | undefined, asked: Asked = {}) {
      const before = requests(points())
      const response = yield* send(body, asked)
      yield* Effect.promise(() => response.text())
      yield* eventually(() => requests(points()) > before)
      return response.status
    })
  }
})

/** The sum of a counter over the series with these labels. */
const sum = (
  points: ReadonlyArray<MetricPoint>,
  name: MetricPoint["name"],
  labels: Readonly<Record<string, string>> = {}
) =>
  points.filter((point) =>
    point.name === name && Object.entries(labels).every(([label, value]) => point.attributes[label] === value)
  ).reduce((total, { value }) => total + (typeof value === "number" ? value : value.count), 0)

const requests = (points: ReadonlyArray<MetricPoint>) => sum(points, "mcp_authorizer.requests")

/** Texts with what ends a label, a line or a set of labels, and with what no name should have. */
const nasty = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.schema(
      Schema.Literals([
        "\"",
        "\\",
        "\n",
        "\r",
        "}",
        "{",
        ",",
        "=",
        " ",
        "#",
        "a",
        "\u0000",
        "\u2028",
        "\ud83d\ude00",
        "é",
        "\u0007"
      ])
    ),
    { minLength: 0, maxLength: 24 }
  ),
  (parts) => parts.join("")
)

const failing: Condition = { text: "broken", needsArguments: false, test: () => ({ error: "no such key" }) }

for (const driver of ["as effects", "with callbacks"] as const) {
  describe(`measuring requests, driven ${driver}`, () => {
    it.live("MET-01 MUST count each request once, by method, status and the reason of its rejection", () =>
      Effect.gen(function*() {
        const { ask, points, upstream } = yield* start(driver)
        yield* upstream.respondWith(jsonRpc)
        const cases: ReadonlyArray<readonly [string | undefined, Asked, string, string, string]> = [
          [initialize, {}, "initialize", "200", "none"],
          [toolsList, {}, "tools/list", "200", "none"],
          [ping, {}, "ping", "200", "none"],
          [message("invented/method"), {}, "other", "200", "none"],
          [`{"jsonrpc":"2.0","method":"notifications/initialized"}`, {}, "notification", "202", "none"],
          [`{"jsonrpc":"2.0","id":1,"result":{}}`, {}, "response", "200", "none"],
          [`[${ping},${toolsList}]`, {}, "batch", "200", "none"],
          [undefined, {}, "stream", "405", "none"],
          [undefined, { method: "DELETE" }, "end", "405", "none"],
          [ping, { bearer: null }, "unread", "401", "MissingCredential"],
          [ping, { bearer: "invented" }, "unread", "401", "UnknownToken"],
          ["{", {}, "unread", "400", "MalformedMessage"],
          [undefined, { path: "/healthz" }, "probe", "200", "none"],
          [undefined, { path: "/.well-known/oauth-protected-resource" }, "metadata", "200", "none"],
          [undefined, { path: "/nothing" }, "other", "404", "NotFound"],
          [undefined, { method: "OPTIONS" }, "preflight", "204", "none"]
        ]
        for (const [body, asked, method, status, reason] of cases) {
          const labels = { server: "default", method, status, reason }
          const before = sum(points(), "mcp_authorizer.requests", labels)
          assert.strictEqual(String(yield* ask(body, asked)), status, method)
          const shown = JSON.stringify(points().filter(({ name }) => name === "mcp_authorizer.requests"))
          assert.strictEqual(sum(points(), "mcp_authorizer.requests", labels), before + 1, `${method} in ${shown}`)
        }
        assert.strictEqual(requests(points()), cases.length)
        assert.strictEqual(sum(points(), "mcp_authorizer.request.duration"), cases.length)
        const sent = cases.filter(([, , , , reason], index) => reason === "none" && index < 9).length
        assert.strictEqual(sum(points(), "mcp_authorizer.upstream.duration"), sent)
        // One token was verified, and one was not; on Node the rest came from memory at once.
        const accepted = sum(points(), "mcp_authorizer.verification.duration", { outcome: "accepted" })
        if (driver === "with callbacks") assert.strictEqual(accepted, 1)
        else assert.isAtLeast(accepted, 1)
        assert.strictEqual(sum(points(), "mcp_authorizer.verification.duration", { outcome: "rejected" }), 1)
      }))

    it.live("MET-02 MUST count calls of tools by what was decided, and conditions that failed", () =>
      Effect.gen(function*() {
        const { policy, ...rest } = ruled({
          rules: [
            { tools: ["delete_*"], scopes: ["notes:delete"] },
            { tools: ["broken"] },
            { tools: ["greet", "wave"] }
          ],
          default_rule: "deny"
        })
        const { ask, points } = yield* start(driver, {
          ...rest,
          policy: policy && {
            ...policy,
            rules: policy.rules.map((rule) => rule.index === 2 ? Object.assign({ ...rule }, { when: failing }) : rule)
          }
        })
        for (const tool of ["greet", "greet", "delete_all", "broken", "unknown"]) yield* ask(toolCall(tool))
        yield* ask(toolCall("wave"), { bearer: null })
        const calls = (tool: string, decision: string) => sum(points(), "mcp_authorizer.tool.calls", { tool, decision })
        assert.strictEqual(calls("greet", "allowed"), 2)
        assert.strictEqual(calls("broken", "denied"), 1)
        // Names that only a rejected caller has used are not shown.
        assert.strictEqual(calls("other", "missing_scopes"), 1)
        assert.strictEqual(calls("other", "denied"), 1)
        assert.strictEqual(sum(points(), "mcp_authorizer.policy.errors"), 1)
        assert.strictEqual(sum(points(), "mcp_authorizer.requests", { status: "403" }), 3)
      }))

    it.live("MET-03 MUST count open event streams, and forget each when it ends", () =>
      Effect.gen(function*() {
        const { points, send, upstream } = yield* start(driver)
        const open = () => sum(points(), "mcp_authorizer.open_streams")
        yield* upstream.respondWith((_request, response) =>
          Effect.callback<void>(() => {
            response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
            response.write(": here\n\n")
          })
        )
        assert.strictEqual(open(), 0)
        const responses = yield* Effect.forEach([1, 2], () => send(undefined))
        assert.strictEqual(open(), 2)
        for (const response of responses) yield* Effect.promise(() => response.body?.cancel() ?? Promise.resolve())
        yield* eventually(() => open() === 0)
        assert.strictEqual(sum(points(), "mcp_authorizer.requests", { method: "stream" }), 2)
      }))

    it.live("MET-04 MUST NOT show a token, a subject or a client, and MUST bound what callers choose", () =>
      Effect.gen(function*() {
        const { ask, points } = yield* start(driver)
        for (let index = 0; index < 130; index++) yield* ask(toolCall(`tool-${index}`))
        yield* ask(message("tools/call", `{"name":"a\\"} 1\\nmcp_authorizer_requests_total 9"}`))
        yield* ask(message("x".repeat(9_000)))
        yield* ask(ping, { path: `/${credential}`, fields: { "mcp-method": credential } })
        const names = new Set(
          points().filter(({ name }) => name === "mcp_authorizer.tool.calls").map(({ attributes }) =>
            attributes["tool"]
          )
        )
        assert.strictEqual(names.size, 101)
        assert.strictEqual(sum(points(), "mcp_authorizer.tool.calls", { tool: "other" }), 31)
        assert.notInclude(formatPoints(points()), "canary")
      }))

    it.live("MET-05 MUST change nothing about requests, and record nothing of them, unless it is on", () =>
      Effect.gen(function*() {
        const off = yield* start(driver, {}, false)
        const on = yield* start(driver)
        const unread = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}`
        const said = yield* Effect.forEach(
          [unread, toolCall("x"), ping, "[]"],
          (body) => Effect.all([off.send(body), on.send(body)])
        )
        for (const [one, other] of said) assert.strictEqual(one.status, other.status)
        assert.deepStrictEqual(
          off.upstream.requests().map(({ method }) => method),
          on.upstream.requests().map(({ method }) => method)
        )
        assert.strictEqual(requests(off.points()), 0)
        assert.isAbove(requests(on.points()), 0)
      }))
  })
}

describe("names that callers choose", () => {
  it.live("MET-06 MUST NOT break the text format, for any name of a tool", () =>
    Effect.gen(function*() {
      const { ask, points, upstream } = yield* start("with callbacks")
      yield* upstream.respondWith(respond({ headers: { "content-type": "application/json" }, body: "{}" }))
      const names = yield* Arbitrary.sampleEffect(nasty, { count: 60 })
      for (const name of names) {
        yield* ask(message("tools/call", `{"name":${JSON.stringify(name)}}`))
        yield* ask(JSON.stringify({ jsonrpc: "2.0", id: 1, method: name }))
      }
      const line =
        /^(?:# (?:HELP|TYPE) [a-z][a-z0-9_]+ .+|[a-z][a-z0-9_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? -?[0-9.e+-]+)$/
      for (const text of formatPoints(points()).trimEnd().split("\n")) assert.match(text, line)
    }), { timeout: 60_000 })
})

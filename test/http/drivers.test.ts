/** The drivers of the course take it alike: the one that runs effects, and the one on Node's own requests. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { type Dispatcher, request } from "undici"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { layerVerifier } from "../../src/embed/layers.ts"
import { UpstreamTimeout, UpstreamUnavailable } from "../../src/errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../../src/forward/GatewayClient.ts"
import { HttpApp, type HttpAppOptions } from "../../src/http/HttpApp.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import { message, ping, toolCall } from "../fixtures/messages.ts"
import { modernCall } from "../fixtures/modernMessages.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const initialized = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"s"}}}`
const rejected = `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown member"}}`
const json = { "content-type": "application/json" }
const events = { "content-type": "text/event-stream" }

const stream = (...pieces: ReadonlyArray<string>) =>
  ({ _tag: "Stream", stream: Stream.fromIterable(pieces.map(bytes)) }) as const

type Behaviour = (request: UpstreamRequest) => ReturnType<GatewayClient["Service"]["send"]>

const gives = (response: () => UpstreamResponse): Behaviour => () => Effect.sync(response)

const empty = (status: number, headers: UpstreamResponse["headers"]) =>
  gives(() => ({ status, headers, body: { _tag: "Empty" } }))

const whole = (status: number, headers: UpstreamResponse["headers"], text: string) =>
  gives(() => ({ status, headers, body: { _tag: "Bytes", bytes: bytes(text) } }))

const strict: Behaviour = ({ body, headers, target }) =>
  new TextDecoder().decode(body).includes("_authContext")
    ? whole(400, json, rejected)({ body, headers, method: "POST", target })
    : whole(200, json, initialized)({ body, headers, method: "POST", target })

const behaviours = {
  whole: whole(
    200,
    { ...json, vary: "Accept", "set-cookie": ["a=1", "b=2"], connection: "x-hop", "x-hop": "1" },
    initialized
  ),
  plain: whole(200, { "content-type": "text/plain", "access-control-allow-origin": "evil" }, "text"),
  accepted: empty(202, {}),
  session: whole(200, { ...json, "mcp-session-id": "s-1" }, initialized),
  pieces: gives(() => ({ status: 200, headers: json, body: stream(initialized.slice(0, 20), initialized.slice(20)) })),
  events: gives(() => ({
    status: 200,
    headers: events,
    body: stream(": hi\n\n", `data: ${initialized}\n\n`, "data: 2\n\n")
  })),
  redirect: empty(307, { location: "https://elsewhere.example/mcp" }),
  challenged: whole(401, { ...json, "www-authenticate": "Bearer realm=\"s\"" }, "{}"),
  scope: whole(403, { "www-authenticate": "Bearer error=\"insufficient_scope\", scope=\"more\"" }, ""),
  odd: whole(666, json, "{}"),
  notFound: whole(404, json, rejected),
  strict,
  late: () => Effect.fail(new UpstreamTimeout({ millis: 1 })),
  down: () => Effect.fail(new UpstreamUnavailable({ detail: "down" })),
  fault: () => Effect.die(new Error("a defect"))
} satisfies Record<string, Behaviour>

const credentials = {
  good: "Bearer dev-token",
  none: undefined,
  wrong: "Bearer another-token",
  basic: "Basic ZGV2",
  empty: "Bearer",
  two: "Bearer a, Bearer b"
}

const bodies = {
  none: undefined,
  ping: `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
  forged: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_authContext":{"sub":"x"}}}`,
  initialize: `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`,
  modern: modernCall("t"),
  batch: `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`,
  twice: `{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}`,
  broken: "{",
  deletes: toolCall("delete_all"),
  pays: message("tools/call", `{"name":"pay","arguments":{"amount":1000}}`),
  mixed: `[${ping},${toolCall("delete_all")}]`,
  respelled: message("tools/call", `{"Name":"delete_all"}`),
  unknown: message("unknown"),
  response: `{"jsonrpc":"2.0","id":1,"result":{}}`,
  long: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${"y".repeat(20_000)}"}}`
}

const revisions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: {},
  older: { "mcp-protocol-version": "2025-11-25", "mcp-method": "other" },
  agreeing: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "t" },
  other: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "=?base64?dQ==?=" }
}

const choice = <K extends string>(of: Readonly<Record<K, unknown>>) => Schema.Literals(Object.keys(of) as Array<K>)

const Exchange = Schema.Struct({
  method: Schema.Literals(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
  target: Schema.Literals([
    "/mcp",
    "/mcp",
    "/mcp",
    "/mcp/below?q=1",
    "/mcp?access_token=dev-token",
    "/other",
    "/healthz",
    "/readyz",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server",
    "/.well-known/other"
  ]),
  credential: choice(credentials),
  body: choice(bodies),
  type: Schema.Literals(["application/json", "application/json", "application/json", "text/plain"]),
  origin: Schema.Literals(["", "http://localhost:1", "https://evil.example"]),
  revision: choice(revisions),
  session: Schema.Literals(["", "", "not-sealed"]),
  upstream: choice(behaviours)
})

/** The result of an exchange with one driver, without what differs between runs. */
interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly sent: ReadonlyArray<unknown>
  readonly log: ReadonlyArray<unknown>
}

const overHop = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"])

const logged = (entries: ReadonlyArray<string>) =>
  entries.flatMap((entry) => {
    const { annotations, level, message } = JSON.parse(entry.split("\n", 1)[0] ?? "")
    // Where it arose differs.
    return message === "request" || message === "internal fault" || level === "WARN"
      ? [{ message, level, ...annotations, at: undefined, duration_ms: undefined }]
      : []
  })

interface Driver {
  readonly origin: string
  readonly log: LogCapture["Service"]
  readonly sent: Array<UpstreamRequest>
}

/** The client of a driver: plays the behaviour that the request names, and has no form with callbacks of its own. */
const clientOf = (sent: Array<UpstreamRequest>) =>
  Layer.succeed(GatewayClient, {
    send: (request) =>
      Effect.suspend(() => {
        sent.push(request)
        const name = request.headers["x-upstream"]
        return name !== undefined && name in behaviours
          ? behaviours[name as keyof typeof behaviours](request)
          : Effect.die("no behaviour")
      })
  })

const configWith = (overrides: Partial<GatewaySettings>) =>
  Layer.succeed(
    GatewayConfig,
    settings("http://127.0.0.1:9/mcp", {
      allowedOrigins: { _tag: "Loopback" },
      bindSessions: true,
      sessionKeys: [Redacted.make("a-key-of-sufficient-length-for-tests")],
      injectRequestContext: "auto",
      injectResponseContext: "auto",
      ...overrides
    })
  )

type Config = ReturnType<typeof configWith>

/** Anyone may begin and ping; some tools are for none of these callers. */
const rules = ruled({
  rules: [
    { methods: ["initialize", "ping"], allow: "anyone" },
    { tools: ["delete_*"], scopes: ["notes:delete"] },
    { tools: ["pay"], when: "message.arguments.amount <= 100" },
    { tools: ["*"], scopes: ["read"] }
  ],
  default_rule: "deny"
})

const onError: NonNullable<HttpAppOptions["onError"]> = (error, response) =>
  error._tag === "NotFound" ? { ...response, status: 410, body: { gone: true } } : response

const start = Effect.fnUntraced(function*<E>(
  make: (client: Layer.Layer<GatewayClient>) => Layer.Layer<HttpServer.HttpServer, E, GatewayConfig>,
  config: Config = configWith({})
) {
  const sent: Array<UpstreamRequest> = []
  const context = yield* Layer.build(
    make(clientOf(sent)).pipe(Layer.provide(config), Layer.provideMerge(LogCapture.layer))
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  return { origin, sent, log: Context.get(context, LogCapture) } satisfies Driver
})

/** A server of Effect's, which runs `HttpApp` as an effect. */
const effects = (config: Config) =>
  start((client) =>
    Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
      Layer.provide(HttpApp.layerWith({ onError })),
      Layer.provide([layerVerifier, client]),
      Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 }))
    ), config)

/** The Node service. */
const callbacks = (config: Config) =>
  start((client) => NodeGateway.layerUnannounced(undefined, { gatewayClient: client, onError }), config)

const both = (config: Config) => Effect.orDie(Effect.all([effects(config), callbacks(config)]))

class Drivers extends Context.Service<Drivers, ReadonlyArray<Driver>>()("mcp-authorizer/test/http/Drivers") {
  static readonly layer = Layer.effect(Drivers, both(configWith({})))
}

/** The same with rules. */
class RuledDrivers
  extends Context.Service<RuledDrivers, ReadonlyArray<Driver>>()("mcp-authorizer/test/http/RuledDrivers")
{
  static readonly layer = Layer.effect(RuledDrivers, both(configWith(rules)))
}

const play = Effect.fnUntraced(function*(
  { log, origin, sent }: Driver,
  exchange: typeof Exchange.Type
): Effect.fn.Return<Seen> {
  sent.length = 0
  yield* log.clear
  const content = bodies[exchange.body]
  const fields = {
    host: "gateway.example",
    "x-trace-id": "trace-1",
    "x-upstream": exchange.upstream,
    authorization: credentials[exchange.credential],
    origin: exchange.origin,
    "mcp-session-id": exchange.session,
    ...revisions[exchange.revision],
    "content-type": content === undefined ? undefined : exchange.type
  }
  const response = yield* Effect.promise(() =>
    request(`${origin}${exchange.target}`, {
      method: exchange.method as Dispatcher.HttpMethod,
      headers: Object.entries(fields).flatMap(([name, value]) =>
        value === undefined || value === "" ? [] : [name, value]
      ),
      body: content ?? null
    })
  )
  const body = yield* Effect.promise(() => response.body.text())
  // The entry is written when the response is over, which may be after its last byte has arrived.
  while (!log.entries().some((entry) => entry.includes(`"request"`))) {
    yield* Effect.promise(() => new Promise(setImmediate))
  }
  return {
    status: response.statusCode,
    headers: Object.fromEntries(Object.entries(response.headers).filter(([name]) => !overHop.has(name))),
    body,
    sent: sent.map((request) => ({ ...request, body: new TextDecoder().decode(request.body), owner: undefined })),
    log: logged(log.entries())
  }
})

layer(RuledDrivers.layer, { excludeTestServices: true })("drivers of the course, with rules", (it) => {
  it.effect.prop(
    "send the same upstream, respond alike and log alike, for every exchange",
    [Exchange],
    ([exchange]) =>
      Effect.gen(function*() {
        const [effect, callback] = yield* Effect.flatMap(
          RuledDrivers,
          Effect.forEach((driver: Driver) => play(driver, exchange))
        )
        assert.deepStrictEqual(callback, effect)
        const asksTooMuch = ["deletes", "pays", "mixed", "unknown", "respelled"].includes(exchange.body)
        if (asksTooMuch) assert.deepStrictEqual(effect?.sent, [])
      }),
    { arbitrary: { runs: 150 } }
  )
})

layer(Drivers.layer, { excludeTestServices: true })("drivers of the course", (it) => {
  it.effect.prop(
    "send the same upstream, respond alike and log alike, for every exchange",
    [Exchange],
    ([exchange]) =>
      Effect.gen(function*() {
        const [effect, callback] = yield* Effect.flatMap(
          Drivers,
          Effect.forEach((driver: Driver) => play(driver, exchange))
        )
        assert.deepStrictEqual(callback, effect)
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("use the embedder's response to an error, with the fields that every response carries", () =>
    Effect.gen(function*() {
      for (const driver of yield* Drivers) {
        const seen = yield* play(driver, {
          method: "GET",
          target: "/other",
          credential: "none",
          body: "none",
          type: "application/json",
          origin: "",
          revision: "none",
          session: "",
          upstream: "plain"
        })
        assert.strictEqual(seen.status, 410)
        assert.strictEqual(seen.body, `{"gone":true}`)
        assert.strictEqual(seen.headers["x-trace-id"], "trace-1")
        assert.strictEqual(seen.headers["access-control-allow-origin"], "*")
        assert.propertyVal(seen.log[0], "error", "NotFound")
        assert.propertyVal(seen.log[0], "status", 410)
      }
    }))

  it.effect("turn what the embedder's response to an error throws into a 500", () =>
    Effect.gen(function*() {
      const throwing = yield* start((client) =>
        NodeGateway.layerUnannounced(undefined, {
          gatewayClient: client,
          onError: () => {
            throw new Error("a defect of the embedder's")
          }
        })
      )
      const response = yield* Effect.promise(() => request(`${throwing.origin}/mcp`))
      assert.strictEqual(response.statusCode, 500)
      assert.notInclude(yield* Effect.promise(() => response.body.text()), "embedder")
    }))
})

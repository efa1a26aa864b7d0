/** Rate limits on the wire: the gateway on Node, and the one of all other hosts. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Result from "effect/Result"
import type { ErrorStyle, GatewaySettings, RateLimit } from "../../src/config/GatewaySettings.ts"
import { message, ping, toolCall } from "../fixtures/messages.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { respond } from "../support/upstreamResponses.ts"

/** Longer than any test takes. */
const hour = 3_600_000

const limit = (by: RateLimit["by"], count: number, more: Partial<RateLimit> = {}): RateLimit => ({
  by,
  on: "messages",
  limit: count,
  windowMillis: hour,
  algorithm: "fixed-window",
  tools: undefined,
  servers: undefined,
  ...more
})

interface Sent {
  readonly token?: string | undefined
  readonly body?: string | undefined
  readonly method?: string
  readonly lines?: ReadonlyArray<string>
}

const providers = [
  staticProvider([
    staticToken("token-a", { subject: "alice", clientId: "one" }),
    staticToken("token-b", { subject: "bob", clientId: "one" }),
    staticToken("token-c", { subject: "carol", clientId: "two" })
  ])
]

const hosts = {
  Node: (of: GatewaySettings, logger: Layer.Layer<never>) =>
    Effect.map(startGateway(of, { logger }), ({ origin }) => origin),
  HttpApp: startEffectGateway
}

/** A gateway with these settings on some host. */
const start = Effect.fnUntraced(function*(host: keyof typeof hosts, overrides: Partial<GatewaySettings>) {
  const upstream = yield* makeRecordingUpstream
  yield* upstream.respondWith(respond({ headers: { "content-type": "application/json" }, body: "{}" }))
  const capture = yield* Layer.build(LogCapture.layer)
  const origin = yield* hosts[host](
    settings(`${upstream.origin}/internal`, { providers, ...overrides }),
    Layer.succeedContext(capture)
  )
  const send = ({ body = ping, lines = [], method = "POST", token = "token-a" }: Sent) =>
    Effect.map(
      rawExchange(
        origin,
        rawRequest([
          `${method} /mcp HTTP/1.1`,
          "Host: 127.0.0.1",
          `Authorization: Bearer ${token}`,
          ...(method === "POST"
            ? ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]
            : []),
          ...lines
        ], method === "POST" ? body : "")
      ),
      ({ responses: [response] }) => response ?? assert.fail("no response")
    )
  return {
    upstream,
    logs: Context.get(capture, LogCapture),
    send,
    status: (sent: Sent) => Effect.map(send(sent), ({ status }) => status),
    /** The statuses of as many of them, one after the other. */
    statuses: (count: number, sent: Sent) =>
      Effect.forEach(Array.from({ length: count }, () => sent), (one) => Effect.map(send(one), ({ status }) => status))
  }
})

const batch = (count: number) => `[${Array.from({ length: count }, () => ping).join()}]`

const call = (token: string, tool: string) => ({ token, body: toolCall(tool) })

const from = (address: string) => ({ lines: [`X-Forwarded-For: ${address}`] })

const guess = (token: string, address = "192.0.2.1") => ({ token, ...from(address) })

const networks = (...texts: ReadonlyArray<string>): GatewaySettings["trustedProxies"] => ({
  _tag: "Networks",
  networks: texts.map((text) => Result.getOrThrow(IpNetwork.fromString(text)))
})

for (const host of ["Node", "HttpApp"] as const) {
  layer(Layer.empty, { excludeTestServices: true, timeout: "60 seconds" })(`rate limits on ${host}`, (it) => {
    it.effect("LIMIT-04 MUST respond 429 with Retry-After to one message too many, and not ask the server", () =>
      Effect.gen(function*() {
        const { logs, send, statuses, upstream } = yield* start(host, { rateLimits: [limit(["subject"], 2)] })
        assert.deepStrictEqual(yield* statuses(2, {}), [200, 200])
        const response = yield* send({ lines: ["Origin: http://localhost:1"] })
        assert.strictEqual(response.status, 429)
        const [wait = ""] = response.headers("retry-after")
        assert.match(wait, /^[0-9]+$/)
        assert.isTrue(Number(wait) > 3_500 && Number(wait) <= 3_600, wait)
        assert.include(response.headers("access-control-expose-headers").join().split(", "), "Retry-After")
        assert.deepStrictEqual(response.headers("cache-control"), ["no-store"])
        assert.isEmpty(response.headers("www-authenticate"))
        assert.deepStrictEqual(JSON.parse(response.text), {
          error: "too_many_requests",
          error_description: "Too many requests"
        })
        assert.lengthOf(upstream.requests(), 2)
        // Another subject is not affected.
        assert.deepStrictEqual(yield* statuses(1, { token: "token-b" }), [200])
        assert.include(logs.entries().join(""), "entry 1 of MCP_RATE_LIMITS: 2 messages in 3600 s by subject")
        assert.notInclude(logs.entries().join(""), "alice")
      }))

    for (const errorStyle of ["oauth", "unauthorized", "rfc6750", "jsonrpc"] satisfies ReadonlyArray<ErrorStyle>) {
      it.effect(`LIMIT-04 MUST respond in the dialect of clients, with the id of the request (${errorStyle})`, () =>
        Effect.gen(function*() {
          const { send } = yield* start(host, { errorStyle, rateLimits: [limit(["subject"], 1)] })
          yield* send({})
          for (
            const [body, id] of [
              [message("ping", undefined, "7"), 7],
              [message("ping", undefined, `"a\\u0062"`), "ab"],
              [`{"jsonrpc":"2.0","method":"notifications/initialized"}`, null],
              [message("ping", undefined, "9007199254740993"), null],
              [`[${ping}]`, null]
            ] as const
          ) {
            const response = yield* send({ body })
            assert.deepStrictEqual([response.status, response.headers("retry-after").length], [429, 1])
            const error = { error: "too_many_requests", error_description: "Too many requests" }
            assert.deepStrictEqual(
              JSON.parse(response.text),
              errorStyle === "jsonrpc"
                ? { jsonrpc: "2.0", id, error: { code: -32000, message: "Too many requests", data: error } }
                : error
            )
          }
        }))
    }

    it.effect("LIMIT-04 MUST let requests pass again when the window is over", () =>
      Effect.gen(function*() {
        const { statuses } = yield* start(host, { rateLimits: [limit(["subject"], 1, { windowMillis: 300 })] })
        let limited = 0
        let passed = 0
        while (limited === 0 || passed < 2) {
          const [status] = yield* statuses(1, {})
          if (status === 200) passed++
          else {
            assert.strictEqual(status, 429)
            limited++
          }
        }
      }))

    it.effect("LIMIT-05 MUST count every message of a batch, and send none of it where one is too many", () =>
      Effect.gen(function*() {
        const { statuses, upstream } = yield* start(host, { rateLimits: [limit(["subject"], 5)] })
        assert.deepStrictEqual(yield* statuses(1, { body: batch(3) }), [200])
        assert.deepStrictEqual(yield* statuses(1, { body: batch(3) }), [429])
        assert.deepStrictEqual(yield* statuses(1, { body: batch(2) }), [200])
        assert.deepStrictEqual(yield* statuses(1, {}), [429])
        assert.lengthOf(upstream.requests(), 2)
      }))

    it.effect("LIMIT-05 MUST count a long message, a chunked one, and a request without one", () =>
      Effect.gen(function*() {
        const { send, status } = yield* start(host, {
          rateLimits: [limit(["subject", "tool"], 2, { tools: ["long"] }), limit(["client"], 4)]
        })
        const long = message("tools/call", `{"arguments":{"x":"${"y".repeat(1_500_000)}"},"name":"long"}`)
        assert.deepStrictEqual([yield* status({ body: long }), yield* status({ body: long })], [200, 200])
        assert.strictEqual(yield* status({ body: long }), 429)
        assert.strictEqual(yield* status({ method: "GET" }), 200)
        const chunked = yield* send({
          method: "DELETE"
        })
        assert.strictEqual(chunked.status, 200)
        assert.strictEqual(yield* status({}), 429)
      }))

    it.effect("LIMIT-05 MUST count a client's responses to the server as one message", () =>
      Effect.gen(function*() {
        const { statuses } = yield* start(host, { rateLimits: [limit(["subject"], 2)] })
        assert.deepStrictEqual(yield* statuses(3, { body: `{"jsonrpc":"2.0","id":1,"result":{}}` }), [200, 200, 429])
      }))

    it.effect("LIMIT-06 MUST count by client, and by tool, and each combination apart", () =>
      Effect.gen(function*() {
        const { status, statuses } = yield* start(host, {
          rateLimits: [
            limit(["client"], 6),
            limit(["subject", "tool"], 2),
            limit(["server"], 3, { tools: ["delete_*", "drop"] })
          ]
        })
        assert.deepStrictEqual(yield* statuses(3, call("token-a", "read")), [200, 200, 429])
        assert.deepStrictEqual(yield* statuses(3, call("token-a", "list")), [200, 200, 429])
        assert.deepStrictEqual(yield* statuses(2, call("token-b", "read")), [200, 200])
        // Six messages of the client `one`, from any subject.
        assert.deepStrictEqual(yield* statuses(1, { token: "token-b" }), [429])
        assert.strictEqual(yield* status(call("token-c", "delete_a")), 200)
        assert.strictEqual(yield* status(call("token-c", "delete_b")), 200)
        assert.strictEqual(yield* status(call("token-c", "drop")), 200)
        assert.strictEqual(yield* status(call("token-c", "delete_c")), 429)
        assert.strictEqual(yield* status(call("token-c", "drop_not")), 200)
      }))

    it.effect("LIMIT-02 MUST NOT let a caller that is over its limit use up the limit of all", () =>
      Effect.gen(function*() {
        const { statuses } = yield* start(host, { rateLimits: [limit(["server"], 4), limit(["subject"], 2)] })
        assert.deepStrictEqual(yield* statuses(8, {}), [200, 200, 429, 429, 429, 429, 429, 429])
        assert.deepStrictEqual(yield* statuses(2, { token: "token-b" }), [200, 200])
        assert.deepStrictEqual(yield* statuses(1, { token: "token-c" }), [429])
      }))

    it.effect("LIMIT-06 MUST count by the address behind trusted proxies, and IPv6 by network", () =>
      Effect.gen(function*() {
        const { statuses } = yield* start(host, {
          trustedProxies: networks("127.0.0.0/8"),
          rateLimits: [limit(["address"], 1)]
        })
        assert.deepStrictEqual(yield* statuses(2, from("192.0.2.1")), [200, 429])
        assert.deepStrictEqual(yield* statuses(1, from("198.51.100.9, 192.0.2.1")), [429])
        assert.deepStrictEqual(yield* statuses(1, from("192.0.2.2")), [200])
        assert.deepStrictEqual(yield* statuses(1, from("2001:db8::1")), [200])
        assert.deepStrictEqual(yield* statuses(1, from("2001:db8::ffff")), [429])
        assert.deepStrictEqual(yield* statuses(1, from("2001:db8:0:1::1")), [200])
      }))

    it.effect("LIMIT-06 MUST NOT believe an address that a stranger reports", () =>
      Effect.gen(function*() {
        const { statuses } = yield* start(host, { rateLimits: [limit(["address"], 1)] })
        assert.deepStrictEqual(yield* statuses(1, { lines: ["X-Forwarded-For: 192.0.2.1"] }), [200])
        assert.deepStrictEqual(yield* statuses(1, { lines: ["X-Forwarded-For: 192.0.2.2"] }), [429])
      }))

    it.effect("LIMIT-07 MUST cut off an address that guesses tokens, and let what is verified go on", () =>
      Effect.gen(function*() {
        const { logs, send, status, statuses } = yield* start(host, {
          trustedProxies: networks("127.0.0.0/8"),
          rateLimits: [limit(["address"], 3, { on: "failures" })]
        })
        assert.strictEqual(yield* status(guess("token-a")), 200)
        for (let index = 0; index < 3; index++) assert.strictEqual(yield* status(guess(`guess-${index}`)), 401)
        const cut = yield* send(guess("guess-3"))
        assert.strictEqual(cut.status, 429)
        assert.isNotEmpty(cut.headers("retry-after"))
        assert.isEmpty(cut.headers("www-authenticate"))
        // New tokens are not verified; otherwise their responses would reveal a correct guess.
        assert.strictEqual(yield* status(guess("token-b")), 429)
        // Another address; and a token that is verified already, if the host can decide that synchronously.
        assert.strictEqual(yield* status(guess("token-b", "192.0.2.2")), 200)
        assert.strictEqual(yield* status(guess("token-a")), host === "Node" ? 200 : 429)
        // Not a guess: no credential at all, and other paths.
        const anonymous = yield* statuses(5, { ...guess("x", "192.0.2.3"), method: "OPTIONS" })
        assert.deepStrictEqual(anonymous, [204, 204, 204, 204, 204])
        assert.notInclude(logs.entries().join(""), "guess-3")
      }))

    it.effect("LIMIT-07 MUST NOT count requests without a token, or with too few scopes", () =>
      Effect.gen(function*() {
        const { status, statuses } = yield* start(host, {
          requiredScopes: ["never"],
          rateLimits: [limit(["address"], 1, { on: "failures" })]
        })
        assert.deepStrictEqual(yield* statuses(3, {}), [403, 403, 403])
        assert.deepStrictEqual(yield* statuses(3, { token: "" }), [401, 401, 401])
        assert.deepStrictEqual([yield* status({ token: "wrong" }), yield* status({ token: "wrong" })], [401, 429])
      }))
  })
}

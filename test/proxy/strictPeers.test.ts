import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { initializeOf } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const initialize = (version = "2025-11-25") => initializeOf(version)

const json = { "content-type": "application/json" }
const events = { "content-type": "text/event-stream" }

const taken = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"s"}}}`
const rejection = (code: number) => `{"jsonrpc":"2.0","id":1,"error":{"code":${code},"message":"no"}}`
const framed = (body: string) => ({ ...json, "content-length": String(body.length) })

/** Responds in one way where the message holds what the gateway adds, and in another where it does not. */
const strict =
  (rejected: responses.CannedResponse, otherwise: responses.CannedResponse): UpstreamHandler => (request, response) =>
    Effect.flatMap(
      request.body,
      (body) => responses.respond(Buffer.from(body).includes("_authContext") ? rejected : otherwise)(request, response)
    )

const ok: responses.CannedResponse = { headers: json, body: taken }

/** The ways in which servers with strict schemas reject an unknown member. */
const rejections: ReadonlyArray<responses.CannedResponse> = [
  { status: 400, headers: framed(rejection(-32_602)), body: rejection(-32_602) },
  { status: 400, headers: json, body: rejection(-32_600) },
  { status: 422, headers: json, body: `{"detail":[{"type":"extra_forbidden"}]}` },
  { status: 400, headers: { "content-type": "text/plain" }, body: "Bad Request" },
  { status: 400 },
  { headers: json, body: rejection(-32_602) },
  { headers: framed(rejection(-32_603)), body: rejection(-32_603) },
  { headers: events, body: `: hello\n\nid: 0\ndata:\n\nevent: message\ndata: ${rejection(-32_602)}\n\n` }
]

const starts = ["Node", "Effect"] as const

const make = Effect.fnUntraced(function*(
  start: typeof starts[number],
  handler: UpstreamHandler,
  overrides: Partial<GatewaySettings> = {}
) {
  const upstream = yield* makeRecordingUpstream
  yield* upstream.respondWith(handler)
  const capture = yield* Layer.build(LogCapture.layer)
  const logger = Layer.succeedContext(capture)
  const given = settings(`${upstream.origin}/mcp`, {
    injectRequestContext: "auto",
    injectResponseContext: "auto",
    ...overrides
  })
  const origin = start === "Node"
    ? (yield* startGateway(given, { logger })).origin
    : yield* startEffectGateway(given, logger)
  return {
    upstream,
    warned: () =>
      Context.get(capture, LogCapture).entries().some((entry) => entry.includes("MCP_INJECT_REQUEST_CONTEXT")),
    ask: Effect.fnUntraced(function*(body = initialize()) {
      const before = upstream.requests().length
      const { responses: [reply] } = yield* rawExchange(
        origin,
        rawRequest([
          "POST /mcp HTTP/1.1",
          "Host: 127.0.0.1",
          "Authorization: Bearer dev-token",
          "Content-Type: application/json",
          `Content-Length: ${body.length}`
        ], body)
      )
      return {
        status: reply?.status,
        text: reply?.text,
        sent: upstream.requests().slice(before).map((request) => Buffer.from(request.received()).toString())
      }
    })
  }
})

describe("peers that reject what the gateway adds to initialize", () => {
  for (const start of starts) {
    it.live(`${start}: a strict server gets a second request without the addition, and no addition from then on`, () =>
      Effect.gen(function*() {
        for (const rejected of rejections) {
          for (const otherwise of [ok, { headers: events, body: `data: ${taken}\n\n` }]) {
            const { ask, warned } = yield* make(start, strict(rejected, otherwise))
            const first = yield* ask()
            assert.deepStrictEqual([first.status, first.text], [200, otherwise.body], JSON.stringify(rejected))
            assert.lengthOf(first.sent, 2)
            assert.include(first.sent[0], "_authContext")
            assert.strictEqual(first.sent[1], initialize())
            assert.isTrue(warned())
            const second = yield* ask()
            assert.deepStrictEqual([second.status, second.text, second.sent], [200, otherwise.body, [initialize()]])
          }
        }
      }))

    it.live(`${start}: positive control: a server that accepts the addition gets it, and the client its identity`, () =>
      Effect.gen(function*() {
        const bodies = [
          { headers: json, body: taken },
          { headers: framed(taken), body: taken },
          { headers: events, body: `: hello\n\ndata: ${taken}\n\n` }
        ]
        for (const reply of bodies) {
          const { ask, warned } = yield* make(start, responses.respond(reply))
          const { sent, status, text } = yield* ask()
          assert.strictEqual(status, 200)
          assert.include(text, `"authInfo":{"authenticated_user":"dev-user"`)
          assert.lengthOf(sent, 1)
          assert.include(sent[0], "_authContext")
          assert.isFalse(warned())
        }
      }))

    it.live(`${start}: an error for another reason comes back unchanged, and nothing is remembered`, () =>
      Effect.gen(function*() {
        const others: ReadonlyArray<readonly [responses.CannedResponse, requests: number]> = [
          [{ status: 400, headers: json, body: rejection(-32_000) }, 1],
          [{ status: 400, headers: json, body: rejection(-32_022) }, 1],
          [{ headers: json, body: rejection(-32_001) }, 1],
          [{ status: 403, headers: json, body: rejection(-32_602) }, 1],
          [{ status: 500, headers: json, body: rejection(-32_603) }, 1],
          [{ status: 503, headers: json, body: "{}" }, 1],
          [{ headers: json, body: `{"padding":"${"x".repeat(70_000)}","error":{"code":-32602}}` }, 1],
          [{ headers: events, body: `data: {"method":"notifications/message"}\n\ndata: ${rejection(-32_602)}\n\n` }, 1],
          [{ headers: events, body: `data: ${rejection(-32_000)}\n\n` }, 1],
          [{ headers: events, body: ": nothing\n\n" }, 1],
          [{ status: 400, headers: json, body: rejection(-32_602) }, 2],
          [{ headers: events, body: `data: ${rejection(-32_602)}\n\n` }, 2]
        ]
        for (const [reply, requests] of others) {
          const { ask, upstream, warned } = yield* make(start, responses.respond(reply))
          const { sent, status, text } = yield* ask()
          assert.deepStrictEqual([status, text], [reply.status ?? 200, reply.body])
          assert.lengthOf(sent, requests, String(reply.body).slice(0, 80))
          assert.isFalse(warned())
          yield* upstream.respondWith(responses.respond(ok))
          assert.include((yield* ask()).sent.join(), "_authContext")
        }
      }))

    it.live(`${start}: only initialize is sent again, and not where the operator has decided`, () =>
      Effect.gen(function*() {
        const rejected = responses.respond({ status: 400, headers: json, body: rejection(-32_602) })
        const { ask } = yield* make(start, rejected)
        for (const method of ["tools/call", "ping", "notifications/initialized"]) {
          const { sent, status } = yield* ask(`{"jsonrpc":"2.0","id":1,"method":"${method}"}`)
          assert.deepStrictEqual([status, sent.length], [400, 1])
        }
        for (const injectRequestContext of [true, false]) {
          const decided = yield* make(start, rejected, { injectRequestContext })
          const { sent, status } = yield* decided.ask()
          assert.deepStrictEqual([status, sent.length], [400, 1])
          assert.strictEqual(sent.join().includes("_authContext"), injectRequestContext)
        }
      }))

    it.live(`${start}: a client of MCP 2024-11-05 gets no authInfo, unless the operator wants it`, () =>
      Effect.gen(function*() {
        const early = initialize("2024-11-05")
        const { ask } = yield* make(start, responses.respond(ok))
        assert.strictEqual((yield* ask(early)).text, taken)
        assert.include((yield* ask()).text, "authInfo")
        const wanted = yield* make(start, responses.respond(ok), { injectResponseContext: true })
        assert.include((yield* wanted.ask(early)).text, "authInfo")
      }))
  }
})

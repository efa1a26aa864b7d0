import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"
import { message } from "../fixtures/messages.ts"
import { modernFields } from "../fixtures/modernMessages.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { openResponse } from "../support/openResponse.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import * as responses from "../support/upstreamResponses.ts"

const context = `{"authenticated_user":"dev-user","email":"dev@example.com","provider":"static"}`
const request = (params: string, id?: string) => message("initialize", params, id)
const params = `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}`

/** A response to `initialize` with odd spacing, order and numbers, and `authInfo` in front of what `serverInfo` holds. */
const reply = (authInfo: string, id = "1") =>
  `{"result": {"n":9007199254740993,"serverInfo":{${authInfo}"name" : "sé", "version":"1"},"z":1.10}, "id" : ${id},"jsonrpc":"2.0"}`
const withInfo = (id?: string) => reply(`"authInfo":${context},`, id)

const json = { "content-type": "application/json" }
const events = { "content-type": "text/event-stream" }

/** Sends the body in pieces of the given sizes, in turn, each a write of its own. */
const inPieces = (
  headers: Readonly<Record<string, string>>,
  body: string,
  sizes: ReadonlyArray<number>
): UpstreamHandler =>
  Effect.fnUntraced(function*(request, response) {
    yield* request.body
    response.writeHead(200, headers)
    response.flushHeaders()
    const bytes = Buffer.from(body)
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const end = at + (sizes[turn % sizes.length] ?? bytes.length)
      const piece = bytes.subarray(at, end)
      at = end
      yield* Effect.callback<void>((resume) => {
        response.write(piece, () => setImmediate(() => resume(Effect.void)))
      })
    }
    response.end()
  })

/** An event stream with a response and other events, in lines that end in `end`. */
const stream = (body: string, end: string) =>
  [
    `: hello${end}`,
    end,
    `event: message${end}id: 0${end}data:${end}${end}`,
    `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"é":1}}${end}${end}`,
    `event: message${end}id: 1${end}data: ${body}${end}${end}`,
    `data: ${reply("")}${end}${end}`
  ].join("")

const Fixture = GatewayFixture.layer()

layer(Fixture, { excludeTestServices: true })("initialize", (it) => {
  it.effect("the request carries the caller, and is otherwise unchanged", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const sent = yield* forwarded({ body: request(params, "9007199254740993") })
      assert.strictEqual(
        yield* textOf(sent),
        request(`${params.slice(0, -1)},"_authContext":${context}}`, "9007199254740993")
      )
      assert.deepStrictEqual(sent.headers("accept-encoding"), ["identity"])
      assert.deepStrictEqual(sent.headers("content-length"), [String(sent.received().length)])
    }))

  it.effect("a JSON response carries the caller, and is otherwise unchanged", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      for (const id of ["1", "\"\\u0031-é\"", "9007199254740993", "-1", "null"]) {
        const body = reply("", id)
        const framed = { ...json, "content-length": String(Buffer.byteLength(body)), "mcp-session-id": "s" }
        for (const handler of [responses.respond({ headers: framed, body }), inPieces(json, body, [1, 50])]) {
          yield* upstream.respondWith(handler)
          const { responses: [received], outcome } = yield* send({ body: request(params, id) })
          assert.deepStrictEqual([outcome, received?.status, received?.text], ["Responded", 200, withInfo(id)])
          assert.deepStrictEqual(received?.headers("content-type"), ["application/json"])
        }
      }
      const { responses: [echo] } = yield* send({ body: request(params) })
      assert.lengthOf(echo?.headers("content-length") ?? [], 1)
    }))

  it.effect("an event stream carries the caller, however it is divided", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      for (const end of ["\n", "\r\n", "\r"]) {
        const expected = stream(withInfo(), end)
        const splits = [[1], [2], [3], [7], [1, 13, 2, 64], [1000]]
        for (const sizes of splits) {
          yield* upstream.respondWith(inPieces(events, stream(reply(""), end), sizes))
          const { responses: [received], outcome } = yield* send({ body: request(params) })
          assert.deepStrictEqual([outcome, received?.status], ["Responded", 200])
          assert.strictEqual(received?.text, expected, `${JSON.stringify(end)} in pieces of ${sizes}`)
        }
      }
    }))

  it.effect("an event stream of initialize is not held back", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      const stream = yield* makeEventStream()
      yield* upstream.respondWith(stream.handler)
      const headers = { authorization: `Bearer ${token}`, ...json }
      const opened = yield* openResponse(`${gateway.origin}/mcp`, { headers, body: request(params) })
      const steps = [
        [": comment\n\n", ": comment\n\n"],
        ["data: {\"method\":\"x\"}\n\n", "data: {\"method\":\"x\"}\n\n"],
        [`data: ${reply("")}\n\n`, `data: ${withInfo()}\n\n`],
        ["data: after\n\n", "data: after\n\n"]
      ] as const
      for (const [sent, expected] of steps) {
        yield* stream.write(sent)
        assert.strictEqual(yield* opened.take(Buffer.byteLength(expected)), expected)
      }
      yield* stream.end
      assert.strictEqual(yield* opened.ended, "Complete")
    }))

  it.effect("responses to other requests pass unchanged", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const body = reply("")
      const untouched = [
        { status: 200, headers: json, body: reply("", "2") },
        { status: 200, headers: json, body: `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}` },
        { status: 200, headers: json, body: `{"jsonrpc":"2.0","id":1,"result":{}}` },
        { status: 200, headers: json, body: "not JSON" },
        { status: 200, headers: json, body: "" },
        { status: 200, headers: { "content-type": "text/plain" }, body },
        { status: 400, headers: json, body },
        { status: 200, headers: { ...json, "content-encoding": "gzip" }, body: gzipSync(body) }
      ]
      for (const sent of untouched) {
        yield* upstream.respondWith(responses.respond(sent))
        const { responses: [received], outcome } = yield* send({ body: request(params) })
        assert.deepStrictEqual([outcome, received?.status], ["Responded", sent.status])
        assert.isTrue(Buffer.from(sent.body).equals(received?.body ?? new Uint8Array()), String(sent.body))
      }
    }))

  it.effect("requests and responses without initialize, of either era, pass unchanged", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
      for (
        const method of ["server/discover", "tools/call", "Initialize", "initialized", "notifications/initialized"]
      ) {
        const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"name":"t",${meta}}}`
        const lines = [...modernFields(method, "t"), "Accept-Encoding: gzip"]
        yield* upstream.respondWith(responses.respond({ headers: json, body: reply("") }))
        const { responses: [received] } = yield* send({ body, lines })
        assert.strictEqual(received?.text, reply(""))
        const sent = yield* forwarded({ body, lines })
        assert.strictEqual(yield* textOf(sent), body)
        assert.deepStrictEqual(sent.headers("accept-encoding"), ["gzip"])
        assert.deepStrictEqual(sent.headers("x-auth-user-id"), ["dev-user"])
      }
    }))
})

/** The forwarded request and the response, for an `initialize` with a forged context. */
const outcome = Effect.gen(function*() {
  const { send, upstream } = yield* GatewayFixture
  yield* upstream.respondWith(responses.respond({ headers: json, body: reply("") }))
  const { responses: [received] } = yield* send({
    body: request(`{"_authContext":{"authenticated_user":"root"},${params.slice(1)}`),
    lines: ["X-Auth-User-Id: root", "Accept-Encoding: gzip"]
  })
  const sent = yield* upstream.awaitRequest()
  return {
    body: yield* textOf(sent),
    reply: received?.text,
    identity: sent.rawHeaders.filter((name) => /^x-auth/i.test(name)).length,
    encoding: sent.headers("accept-encoding")
  }
})

layer(GatewayFixture.layer({ injectRequestContext: false }), { excludeTestServices: true })((it) => {
  it.effect("MCP_INJECT_REQUEST_CONTEXT=false: requests carry no context, not even the client's", () =>
    Effect.gen(function*() {
      const { reply, body, encoding, identity } = yield* outcome
      assert.strictEqual(body, request(params))
      // The client requested an encoding, and nothing can be added to an encoded response.
      assert.deepStrictEqual(encoding, ["identity"])
      assert.strictEqual(reply, withInfo())
      assert.strictEqual(identity, 7)
    }))
})

layer(GatewayFixture.layer({ injectResponseContext: false }), { excludeTestServices: true })((it) => {
  it.effect("MCP_INJECT_RESPONSE_CONTEXT=false: responses pass unchanged, and may be encoded", () =>
    Effect.gen(function*() {
      const { reply: received, body, encoding } = yield* outcome
      assert.strictEqual(body, request(`${params.slice(0, -1)},"_authContext":${context}}`))
      assert.strictEqual(received, reply(""))
      assert.deepStrictEqual(encoding, ["gzip"])
    }))
})

layer(GatewayFixture.layer({ identityHeaders: false }), { excludeTestServices: true })((it) => {
  it.effect("MCP_IDENTITY_HEADERS=false: no identity field arrives, not even the client's", () =>
    Effect.gen(function*() {
      const { reply: received, body, identity } = yield* outcome
      assert.strictEqual(identity, 0)
      assert.strictEqual(body, request(`${params.slice(0, -1)},"_authContext":${context}}`))
      assert.strictEqual(received, withInfo())
    }))
})

layer(GatewayFixture.layer({ authEnabled: false, providers: [] }), { excludeTestServices: true })((it) => {
  it.effect("MCP_AUTH_ENABLED=false: every request passes, without an identity", () =>
    Effect.gen(function*() {
      const { forwarded, gateway, reset } = yield* GatewayFixture
      for (const authorization of [null, "Bearer anything", "Basic dXNlcjpwYXNz", "nonsense"]) {
        yield* reset
        const sent = yield* forwarded({
          authorization,
          body: request(`{"_authContext":{"authenticated_user":"root"},${params.slice(1)}`),
          lines: ["X-Auth-User-Id: root", "X_Auth_Scopes: admin", "X-Forwarded-User: root", "Cookie: a=1"]
        })
        assert.strictEqual(yield* textOf(sent), request(params))
        assert.isFalse(sent.rawHeaders.some((text) => /x.auth|x.forwarded|authorization|cookie|root/i.test(text)))
        assert.lengthOf(sent.headers("x-trace-id"), 1)
      }
      yield* reset
      assert.strictEqual((yield* outcome).reply, reply(""))
      const metadata = yield* Effect.promise(() => fetch(`${gateway.origin}/.well-known/oauth-protected-resource`))
      assert.strictEqual(metadata.status, 200)
      yield* Effect.promise(() => metadata.arrayBuffer())
    }))

  it.effect("MCP_AUTH_ENABLED=false: malformed requests and foreign origins are still rejected", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const rejected = [
        [{ authorization: null, body: "[" }, 400],
        [{ authorization: null, contentType: "text/plain" }, 415],
        [{ authorization: null, lines: ["Origin: https://evil.example"] }, 403]
      ] as const
      for (const [sent, status] of rejected) assert.strictEqual((yield* send(sent)).responses[0]?.status, status)
      assert.isEmpty(upstream.requests())
    }))
})

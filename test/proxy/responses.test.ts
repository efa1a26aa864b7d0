import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gunzipSync, gzipSync } from "node:zlib"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import * as responses from "../support/upstreamResponses.ts"

const Fixture = GatewayFixture.layer()

const rpcError = (code: number, message: string) =>
  `{"jsonrpc": "2.0","id":9007199254740993,"error":{"code":${code},"message":"${message}"}}`

/** Every status that MCP servers respond with, and its fields and body. */
const statuses: ReadonlyArray<readonly [status: number, body: string, headers?: Readonly<Record<string, string>>]> = [
  [200, `{"jsonrpc":"2.0","id":1,"result":{"n":1.10}}`],
  [201, "{}", { location: "/tasks/1" }],
  [206, "{}", { "content-range": "bytes 0-1/2" }],
  [226, "{}"],
  [299, "{}"],
  [400, rpcError(-32_000, "Bad Request: Server not initialized")],
  [400, rpcError(-32_020, "Header mismatch")],
  [400, rpcError(-32_021, "Missing required client capability")],
  [400, rpcError(-32_022, "Unsupported protocol version")],
  [400, rpcError(-32_700, "Parse error")],
  [402, "{}"],
  [403, rpcError(-32_003, "Forbidden")],
  [404, rpcError(-32_001, "Session not found")],
  [404, rpcError(-32_601, "Method not found")],
  [405, rpcError(-32_000, "Method not allowed."), { allow: "POST" }],
  [406, rpcError(-32_000, "Not Acceptable")],
  [409, rpcError(-32_000, "Conflict: Only one SSE stream is allowed per session")],
  [410, ""],
  [413, rpcError(-32_000, "Payload too large")],
  [415, rpcError(-32_000, "Unsupported Media Type")],
  [429, rpcError(-32_000, "Slow down"), { "retry-after": "7" }],
  [431, "{}"],
  [500, rpcError(-32_603, "Internal error")],
  [501, "{}"],
  [502, "{\"its\":\"own\"}"],
  [503, rpcError(-32_000, "Unavailable"), { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }],
  [504, "{\"its\":\"own\"}"],
  [599, "{}"]
]

layer(Fixture, { excludeTestServices: true })("responses on their way back", (it) => {
  it.effect("FW-4 statuses, bodies and their fields come back unchanged, long or short", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      for (const [status, body, more = {}] of statuses) {
        for (const padding of ["", " ".repeat(70_000)]) {
          for (const framing of [{ "content-length": String(Buffer.byteLength(body + padding)) }, {}]) {
            const headers = {
              "content-type": "application/json; charset=utf-8",
              "mcp-session-id": "session 1",
              "mcp-protocol-version": "2025-11-25",
              "x-custom": "a  b",
              etag: "W/\"1\"",
              ...more,
              ...framing
            }
            yield* upstream.respondWith(responses.respond({ status, headers, body: body + padding }))
            const { responses: [reply], outcome } = yield* send()
            assert.deepStrictEqual([outcome, reply?.status, reply?.text], ["Responded", status, body + padding])
            for (const [name, value] of Object.entries(headers)) {
              assert.deepStrictEqual(reply?.headers(name), [value], `${status} ${name}`)
            }
          }
        }
      }
    }))

  it.effect("202 and 204 come back without a body and without a type", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const bodiless = [
        { status: 202, headers: { "content-length": "0" } },
        { status: 202 },
        { status: 204 },
        { status: 200, headers: { "content-length": "0" } },
        { status: 405, headers: { allow: "POST" } }
      ]
      for (const bodilessResponse of bodiless) {
        yield* upstream.respondWith(responses.respond(bodilessResponse))
        for (const method of ["POST", "DELETE", "GET"]) {
          const { responses: [reply], outcome, rest } = yield* send({ method })
          assert.deepStrictEqual([outcome, reply?.status, reply?.text], ["Responded", bodilessResponse.status, ""])
          assert.isEmpty(rest)
          assert.isEmpty(reply?.headers("content-type"))
        }
      }
      yield* upstream.respondWith(responses.noContent)
      const { responses: [none] } = yield* send()
      assert.isEmpty([...none?.headers("content-length") ?? [], ...none?.headers("transfer-encoding") ?? []])
    }))

  it.effect("HEAD is forwarded as HEAD and gets no body, on a connection that stays in sync", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      const headers = { "content-type": "application/json", "content-length": "1234", "mcp-session-id": "s" }
      yield* upstream.respondWith((request, response) =>
        request.method === "HEAD"
          ? Effect.sync(() => {
            response.writeHead(200, headers)
            response.end()
          })
          : responses.jsonRpc(request, response)
      )
      const { responses: [head] } = yield* rawExchange(gateway.origin, bytes({ method: "HEAD" }), { bodiless: true })
      assert.strictEqual(head?.status, 200)
      for (const [name, value] of Object.entries(headers)) assert.deepStrictEqual(head?.headers(name), [value], name)
      const both = yield* rawExchange(
        gateway.origin,
        [bytes({ method: "HEAD" }), bytes({ lines: ["Connection: close"] })],
        { responses: Infinity }
      )
      const text = Buffer.from(both.received).toString()
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\nHTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\n/)
      assert.deepStrictEqual(upstream.requests().map(({ method }) => method), ["HEAD", "HEAD", "POST"])
    }))

  it.effect("304 comes back with its fields and without a body", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(responses.respond({ status: 304, headers: { etag: "\"1\"" } }))
      const { responses: [reply], outcome } = yield* send({ method: "GET", lines: ["If-None-Match: \"1\""] })
      assert.deepStrictEqual([outcome, reply?.status, reply?.headers("etag")], ["Responded", 304, ["\"1\""]])
    }))

  it.effect("an encoded response passes as it is, with fields that match its bytes", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      for (const text of ["{\"a\":1}", `"${"x".repeat(300_000)}"`]) {
        const zipped = gzipSync(text, { level: 0 })
        for (const framing of [{ "content-length": String(zipped.length) }, {}]) {
          const headers = { "content-type": "application/json", "content-encoding": "gzip", vary: "Accept-Encoding" }
          yield* upstream.respondWith(responses.respond({ headers: { ...headers, ...framing }, body: zipped }))
          const { responses: [reply], outcome } = yield* send({ lines: ["Accept-Encoding: gzip"] })
          assert.strictEqual(outcome, "Responded")
          assert.deepStrictEqual(reply?.headers("content-encoding"), ["gzip"])
          assert.isTrue(zipped.equals(reply?.body ?? new Uint8Array()))
          assert.strictEqual(gunzipSync(reply?.body ?? new Uint8Array()).toString(), text)
          assert.include(reply?.headers("vary").join(), "Accept-Encoding")
          assert.deepStrictEqual(reply?.headers("content-length"), Object.values(framing))
        }
      }
    }))

  it.effect("each Set-Cookie keeps its own line, byte for byte", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const cookies = [
        "a=1; Path=/; HttpOnly",
        "b=2",
        "a=3; path=/other; Domain=example.com",
        "c=x%20y=z; SameSite=None; Secure; Partitioned; Priority=High",
        "d=\"quoted, comma\"; Expires=Wed, 21-Oct-2026 07:28:00 GMT; Future=attribute",
        "e=; Max-Age=-1",
        "__Host-f=1;secure;path=/"
      ]
      yield* upstream.respondWith(responses.withCookies(...cookies))
      const { responses: [reply] } = yield* send()
      assert.deepStrictEqual(reply?.headers("set-cookie"), cookies)
      yield* upstream.respondWith(responses.withCookies("only=1"))
      assert.deepStrictEqual((yield* send()).responses[0]?.headers("set-cookie"), ["only=1"])
    }))

  it.effect("values beyond ASCII come back with the same bytes", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      yield* reset
      for (const value of ["\xe9", "\xc3\xa9", "\x80\xff", "a\tb"]) {
        const head =
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Custom: ${value}\r\nContent-Length: 2\r\n\r\n{}`
        yield* upstream.respondWith(responses.rawBytes(Buffer.from(head, "latin1"), "End"))
        const { responses: [reply] } = yield* send()
        assert.deepStrictEqual([reply?.status, reply?.headers("x-custom")], [200, [value]])
      }
      yield* upstream.reset
      yield* forwarded()
    }))

  it.effect("hop-by-hop fields, challenges and Access-Control-* are dropped; repeated fields are kept", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const headers = {
        "content-type": "application/json",
        connection: "close, x-hop",
        "x-hop": "hop",
        "keep-alive": "timeout=1",
        "proxy-authenticate": "Basic",
        "access-control-allow-origin": "https://evil.example",
        "access-control-allow-credentials": "true",
        "www-authenticate": "Basic",
        link: ["<a>", "<b>"],
        "x-kept": "kept"
      }
      yield* upstream.respondWith(responses.respond({ headers, body: "{}" }))
      const { responses: [reply] } = yield* send()
      assert.strictEqual(reply?.status, 200)
      for (const name of ["x-hop", "proxy-authenticate", "access-control-allow-credentials", "www-authenticate"]) {
        assert.isEmpty(reply?.headers(name), name)
      }
      assert.deepStrictEqual(reply?.headers("access-control-allow-origin"), ["*"])
      assert.notInclude(reply?.headers("keep-alive").join(), "timeout=1")
      assert.strictEqual(reply?.headers("link").join(", "), "<a>, <b>")
      assert.deepStrictEqual(reply?.headers("x-kept"), ["kept"])
    }))

  it.effect("a response without Cache-Control gets no-store", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      assert.deepStrictEqual((yield* send()).responses[0]?.headers("cache-control"), ["no-store"])
      yield* upstream.respondWith(responses.respond({ headers: { "cache-control": "no-cache" }, body: "{}" }))
      assert.deepStrictEqual((yield* send()).responses[0]?.headers("cache-control"), ["no-cache"])
    }))

  it.effect("interim responses of the MCP server are not taken for the response", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
      const last = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
      yield* upstream.respondWith(responses.rawBytes(interim + last, "End"))
      const { responses: [reply] } = yield* send()
      assert.deepStrictEqual([reply?.status, reply?.text], [200, "{}"])
    }))
})

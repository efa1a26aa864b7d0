import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { METHODS } from "node:http"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange, type RawExchangeOptions, rawRequest } from "../support/rawHttp.ts"
import { respond } from "../support/upstreamResponses.ts"

const missing = { status: 401, error: "unauthorized" }
const malformed = { status: 400, error: "invalid_request" }
const notAllowed = { status: 405, error: "method_not_allowed" }

/** Each with its usual body. */
const forwarded = { GET: null, HEAD: null, POST: ping, PUT: ping, PATCH: ping, DELETE: null }
// Two of Node's methods are not for ordinary requests: one opens a tunnel, one belongs to another protocol.
const others = METHODS.filter((method) => ![...Object.keys(forwarded), "OPTIONS", "CONNECT", "SOURCE"].includes(method))

const upgrades: Readonly<Record<string, ReadonlyArray<string>>> = {
  websocket: [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: mcp",
    "Sec-WebSocket-Extensions: permessage-deflate"
  ],
  h2c: [
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
  ],
  "anything else": ["Connection: upgrade", "Upgrade: TLS/1.3, x/1"],
  "no Connection field": ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
  "several protocols": ["Connection: keep-alive, Upgrade", "Upgrade: h2c, websocket"]
}

/** The head of a `POST` whose client waits before it sends the body. */
const head = (...lines: ReadonlyArray<string>) =>
  rawRequest([
    "POST /mcp HTTP/1.1",
    "Host: 127.0.0.1",
    `Content-Length: ${ping.length}`,
    "Expect: 100-continue",
    ...lines
  ])

layer(GatewayFixture.layer(), { excludeTestServices: true })("methods, upgrades and expectations", (it) => {
  it.effect("HTTP-10 responds to every preflight itself, with a token or without", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      const preflight = [
        "Origin: http://localhost:6274",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization, content-type"
      ]
      for (const target of ["/mcp", "/mcp/x", "/nowhere", "/healthz", "*", "/mcp?access_token=x"]) {
        for (const lines of [[], preflight, [...preflight, `Authorization: Bearer ${token}`], [`Content-Length: 0`]]) {
          const { responses: [response] } = yield* rawExchange(gateway.origin, bare(`OPTIONS ${target}`, ...lines))
          assert.deepStrictEqual([response?.status, response?.text], [204, ""], target)
          assert.lengthOf(response?.headers("x-trace-id") ?? [], 1)
        }
      }
      assert.isEmpty(upstream.requests())
    }))

  it.effect("HTTP-10 forwards the usual methods, each only with a token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { reset, send, token, upstream } = fixture
      for (const [method, body] of Object.entries(forwarded)) {
        yield* reset
        yield* upstream.respondWith(respond({ status: 200 }))
        const authorized = yield* send({ method, body })
        assert.strictEqual(authorized.responses[0]?.status, 200, method)
        assert.deepStrictEqual(upstream.requests().map(({ method }) => method), [method])
        yield* reset
        for (const authorization of [null, "Bearer nobody", `Basic ${token}`]) {
          const rejected = yield* send({ method, body, authorization })
          assert.strictEqual(rejected.responses[0]?.status, 401, method)
        }
        assert.isEmpty(upstream.requests(), method)
      }
    }))

  it.effect("HTTP-10 forwards no other method, token or not", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      assert.includeMembers(others, ["TRACE", "PROPFIND", "PURGE"])
      const authorization = `Authorization: Bearer ${fixture.token}`
      yield* assertAllHostile(
        fixture,
        notAllowed,
        others.map((method): Hostile => [method, () => bare(`${method} /mcp`, authorization)])
      )
      yield* assertAllHostile(
        fixture,
        missing,
        others.map((method): Hostile => [method, () => bare(`${method} /mcp`)])
      )
    }))

  it.effect("HTTP-10 opens no tunnel", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const authorization = `Authorization: Bearer ${fixture.token}`
      const closing = { ...notAllowed, closes: true }
      const response = yield* assertHostile(
        fixture,
        closing,
        "CONNECT",
        () => bare("CONNECT evil.example:443", authorization) + fixture.bytes()
      )
      assert.notInclude(response.headers("allow").join(), "CONNECT")
      yield* assertHostile(fixture, closing, "CONNECT to the path", () => bare("CONNECT /mcp:80", authorization))
      yield* assertHostile(fixture, closing, "CONNECT without a token", () => bare("CONNECT evil.example:443"))
    }))

  it.effect("HTTP-10 rejects other spellings of a method", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const spellings = [
        "post",
        "Post",
        "POSTS",
        "POS",
        "P0ST",
        "PO ST",
        "X".repeat(1024),
        "FOO",
        "GET,POST",
        "\"POST\""
      ]
      yield* assertAllHostile(
        fixture,
        { ...malformed, closes: true },
        spellings.map((method): Hostile => [
          method,
          () => fixture.bytes().replace("POST", method) + fixture.bytes()
        ])
      )
    }))

  it.effect("HTTP-10 serves public paths to GET and HEAD only", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const paths = [
        "/healthz",
        "/readyz",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server"
      ]
      const authorization = `Authorization: Bearer ${fixture.token}`
      for (const path of paths) {
        for (const method of ["POST", "PUT", "DELETE", "TRACE"]) {
          const response = yield* assertHostile(
            fixture,
            notAllowed,
            `${method} ${path}`,
            () => bare(`${method} ${path}`, authorization, "Content-Length: 0")
          )
          assert.deepStrictEqual(response.headers("allow"), ["GET, HEAD, OPTIONS"])
        }
      }
    }))

  it.effect("HTTP-11 ignores fields that override the method, and forwards none", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const names = ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "x_http_method_override"]
      const lines = names.map((name) => `${name}: DELETE`)
      const request = yield* forwarded({ lines, target: "/mcp?_method=DELETE" })
      assert.strictEqual(request.method, "POST")
      assert.isEmpty(names.flatMap((name) => request.headers(name)))
      assert.isEmpty(request.rawHeaders.filter((text) => /override|DELETE/i.test(text)))
    }))

  it.effect("HTTP-12 upgrades no connection, and forwards nothing of the attempt", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { bytes, gateway, reset, upstream } = fixture
      for (const [name, lines] of Object.entries(upgrades)) {
        yield* assertHostile(fixture, missing, name, () => post(lines), { lines })
        yield* reset
        const { responses, outcome } = yield* rawExchange(gateway.origin, bytes({ lines }) + bytes(), {
          responses: Infinity
        })
        assert.deepStrictEqual([responses.map(({ status }) => status), outcome], [[200], "Closed"], name)
        assert.deepStrictEqual(responses[0]?.headers("connection"), ["close"], name)
        const request = yield* upstream.awaitRequest()
        assert.strictEqual(yield* textOf(request), ping, name)
        const fields = request.rawHeaders.filter((text, index) =>
          index % 2 === 0 && /upgrade|websocket|http2/i.test(text)
        )
        assert.isEmpty(fields, name)
        assert.notMatch(request.headers("connection").join(), /upgrade/i, name)
        assert.isEmpty(responses.flatMap(({ headers }) => headers("upgrade")), name)
      }
    }))

  it.effect("HTTP-12 checks an upgrade with a chunked body, and one by GET, like any other request", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      const chunks = `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`
      for (const [name, lines] of Object.entries(upgrades)) {
        yield* reset
        const type = "Content-Type: application/json"
        const authorization = `Authorization: Bearer ${token}`
        const chunked = bare("POST /mcp", authorization, type, "Transfer-Encoding: chunked", ...lines)
        const { responses } = yield* rawExchange(gateway.origin, chunked + chunks)
        assert.strictEqual(responses[0]?.status, 200, name)
        const get = yield* rawExchange(gateway.origin, bare("GET /mcp", authorization, ...lines))
        // The response of the upstream, which has no such stream.
        assert.strictEqual(get.responses[0]?.status, 405, name)
        assert.lengthOf(upstream.requests(), 2, name)
      }
    }))

  it.effect("HTTP-13 requests a body only after the token was accepted, and meets no other expectation", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { gateway, reset, token, upstream } = fixture
      const authorization = `Authorization: Bearer ${token}`
      const json = "Content-Type: application/json"
      const statuses = (bytes: string, options: RawExchangeOptions) =>
        Effect.map(
          rawExchange(gateway.origin, bytes, options),
          ({ responses }) => responses.map(({ status }) => status)
        )
      const closed = { responses: Infinity }
      yield* reset
      assert.deepStrictEqual(yield* statuses(head(json), closed), [401])
      assert.deepStrictEqual(yield* statuses(head(json, "Authorization: Bearer nobody"), closed), [401])
      assert.deepStrictEqual(yield* statuses(head(authorization, "Content-Type: text/plain"), closed), [415])
      assert.deepStrictEqual(yield* statuses(head(authorization, json), { idleMillis: 1_000 }), [100])
      assert.isEmpty(upstream.requests())
      assert.deepStrictEqual(yield* statuses(head(authorization, json) + ping, {}), [100, 200])
      assert.isEmpty((yield* upstream.awaitRequest()).headers("expect"))
      yield* assertAllHostile(
        fixture,
        { status: 417, error: "expectation_failed", closes: true },
        ["something", "200-ok", "100-continued"].map((value): Hostile => [
          value,
          () => fixture.bytes({ lines: [`Expect: ${value}`] })
        ])
      )
    }))
})

import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ping } from "../fixtures/messages.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { leaks } from "../support/canary.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import { assertOwnIdentity, own } from "./ownIdentity.ts"

const Fixture = GatewayFixture.layer()

layer(Fixture, { excludeTestServices: true })("fields that end at the gateway", (it) => {
  it.effect("FWD-05 hop-by-hop fields are not forwarded", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const hopByHop = [
        "Keep-Alive: timeout=5",
        "Proxy-Authenticate: Basic",
        "Proxy-Authorization: Basic c3Bvb2Y=",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Trailer: X-Auth-User-Id",
        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"
      ]
      const request = yield* forwarded({ lines: [...hopByHop, "X-Custom: kept"] })
      for (const line of hopByHop) assert.isEmpty(request.headers(line.split(":", 1).join()), line)
      assert.deepStrictEqual(request.headers("connection"), ["keep-alive"])
      assert.deepStrictEqual(request.headers("transfer-encoding"), [])
      assert.deepStrictEqual(request.headers("x-custom"), ["kept"])
    }))

  it.effect("FWD-05 an upgrade is an ordinary request, checked like any other, and never a tunnel", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { forwarded, reset } = fixture
      const upgrades = [
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"],
        ["Connection: Upgrade", "Upgrade: anything/1"]
      ]
      for (const lines of upgrades) {
        yield* reset
        const request = yield* forwarded({ lines })
        for (const name of ["upgrade", "http2-settings"]) assert.isEmpty(request.headers(name))
        assert.strictEqual(yield* textOf(request), ping)
        yield* assertRejected(fixture, { lines, authorization: null }, { status: 401, error: "unauthorized" })
      }
    }))

  it.effect("FWD-06 trailer fields are not forwarded", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      const head = [
        "POST /mcp HTTP/1.1",
        "Host: 127.0.0.1",
        `Authorization: Bearer ${token}`,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "Trailer: X-Auth-User-Id, X-Custom"
      ]
      const chunks = [
        ping.length.toString(16),
        ping,
        "0",
        "X-Auth-User-Id: root",
        "X-Custom: trailing",
        "Authorization: Bearer x",
        "",
        ""
      ]
      const { responses } = yield* rawExchange(gateway.origin, [...head, "", ...chunks].join("\r\n"))
      assert.strictEqual(responses[0]?.status, 200)
      const request = yield* upstream.awaitRequest()
      assertOwnIdentity(request)
      assert.isEmpty([
        ...request.headers("x-custom"),
        ...request.headers("authorization"),
        ...request.headers("trailer")
      ])
      assert.deepStrictEqual(request.headers("content-length"), [String(ping.length)])
      assert.strictEqual(yield* textOf(request), ping)
    }))

  it.effect("FWD-07 FWD-08 no credential of the client reaches the upstream", () =>
    Effect.gen(function*() {
      const { forwarded, logs, reset, token } = yield* GatewayFixture
      yield* reset
      const request = yield* forwarded({
        lines: [
          `Authorization-: ${token}`,
          `Authorization_: ${token}`,
          `X-Access-Token: ${token}`,
          `X-Forwarded-Access-Token: ${token}`,
          `Proxy-Authorization: Bearer ${token}`,
          `Cookie: session=${token}`,
          `Cookie2: ${token}`
        ]
      })
      const everything = [request.url, ...request.rawHeaders, yield* textOf(request)]
      assert.isEmpty(leaks(everything, token))
      assert.isEmpty(leaks(logs.entries(), token))
      assert.isNotEmpty(logs.entries())
    }))

  it.effect("FWD-17 fields that only a platform may set are not forwarded, and the MCP server sees only the requested path", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const request = yield* forwarded({
        lines: [
          "Spin-Path-Info: /admin",
          "spin_path_info: /admin",
          "SPIN-FULL-URL: http://evil.example/admin",
          "Spin-Client-Addr: 127.0.0.1:1",
          "Fly-Client-IP: 127.0.0.1",
          "X-Spin: kept"
        ]
      })
      assert.isEmpty(request.rawHeaders.filter((name) => /^(?:spin|fly)[-_]/i.test(name)))
      assert.deepStrictEqual(request.headers("x-spin"), ["kept"])
    }))

  it.effect("FWD-17 forwarding fields of an untrusted peer are not forwarded", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const names = [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Uri",
        "X_Forwarded_Uri",
        "X-Real-IP",
        "X-Original-URL",
        "X-Original-Host",
        "X-Rewrite-URL",
        "X-Envoy-External-Address",
        "True-Client-IP",
        "X-HTTP-Method-Override"
      ]
      const request = yield* forwarded({ lines: names.map((name) => `${name}: /healthz`) })
      for (const name of names) assert.isEmpty(request.headers(name), name)
      assert.deepStrictEqual([request.method, request.url], ["POST", "/internal"])
    }))

  it.effect("FWD-18 no field of a client switches anything off", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const lines = [
        "X-Middleware-Subrequest: middleware:middleware:middleware",
        "X-Auth-Internal: true",
        "X-Internal: 1",
        "X-Skip-Auth: true",
        "X-Gateway-Authenticated: true",
        "X-Original-URL: /healthz",
        "X-Rewrite-URL: /.well-known/oauth-protected-resource",
        "X-Forwarded-Uri: /healthz",
        "X-Forwarded-For: 127.0.0.1",
        "X-HTTP-Method-Override: OPTIONS",
        "Mcp-Router-Key: internal",
        "X-Envoy-Internal: true",
        ...Object.entries(own).map(([name, value]) => `${name}: ${value}`)
      ]
      const missing = { status: 401, error: "unauthorized" }
      for (const line of lines) yield* assertRejected(fixture, { authorization: null, lines: [line] }, missing)
      yield* assertRejected(fixture, { authorization: null, lines }, missing)
      assertOwnIdentity(yield* fixture.forwarded({ lines }))
    }))
})

const Forwarding = GatewayFixture.layer({ forwardAuthorization: true, trustedProxies: { _tag: "All" } })

layer(Forwarding, { excludeTestServices: true })("fields that are forwarded if so configured", (it) => {
  it.effect("FWD-07 MCP_FORWARD_AUTHORIZATION forwards exactly the client's Authorization", () =>
    Effect.gen(function*() {
      const { forwarded, token } = yield* GatewayFixture
      const request = yield* forwarded({ lines: ["Authorization_: x", "Proxy-Authorization: x"] })
      assert.deepStrictEqual(request.headers("authorization"), [`Bearer ${token}`])
      assert.isEmpty([...request.headers("authorization_"), ...request.headers("proxy-authorization")])
    }))

  it.effect("FWD-17 forwarding fields of a trusted proxy are forwarded, identity fields are not", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* GatewayFixture
      const request = yield* forwarded({
        lines: ["X-Forwarded-For: 192.0.2.1", "Via: 1.1 edge", "X-Forwarded-User: root", "X-Auth-User-Id: root"]
      })
      assert.deepStrictEqual(request.headers("x-forwarded-for"), ["192.0.2.1"])
      assert.deepStrictEqual(request.headers("via"), ["1.1 edge"])
      assert.isEmpty(request.headers("x-forwarded-user"))
      assert.deepStrictEqual(request.headers("x-auth-user-id"), ["dev-user"])
    }))
})

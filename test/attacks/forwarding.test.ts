import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertRefused } from "../support/assertRefused.ts"
import { leaks } from "../support/canary.ts"
import { GatewayFixture, ping, textOf } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import type { RecordedRequest } from "../support/RecordedRequest.ts"

/** What the gateway itself says about `dev-user`, by name. */
const own: Readonly<Record<string, string>> = {
  "x-auth-user-id": "dev-user",
  "x-auth-client-id": "dev-client",
  "x-auth-issuer": "static",
  "x-auth-scopes": "read write",
  "x-auth-email": "dev@example.com",
  "x-auth-provider": "static"
}

const identityNames = [
  ...Object.keys(own),
  "x-auth-user",
  "x-auth-anything",
  "x-user",
  "x-user-id",
  "x-user-email",
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-groups",
  "x-forwarded-preferred-username",
  "x-forwarded-access-token",
  "x-remote-user",
  "remote-user",
  "remote-groups",
  "x-webauth-user",
  "x-authenticated-user",
  "x-authenticated-scopes",
  "x-access-token",
  "x-jwt-assertion",
  "x-goog-authenticated-user-email"
]

const capitals = (name: string): string => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase())

/** Spellings that some server behind reads as the same name: CGI, WSGI and PHP turn all of them into one variable. */
const spellings = (name: string): ReadonlyArray<string> => [
  name,
  name.toUpperCase(),
  capitals(name),
  name.replace(/-/g, "_"),
  capitals(name).replace(/-/g, "_"),
  name.toUpperCase().replace(/-/g, "_"),
  name.replace("-", "_"),
  name.replace(/-(?=[^-]*$)/, "_"),
  name.replace(/-/g, "."),
  name.replace("-", "."),
  name.replace(/-/g, "--"),
  name.replace(/-/g, "-_"),
  name.replace(/-/g, "+"),
  name.replace(/-/g, "~"),
  name.replace(/-/g, "|"),
  `${name}-`,
  `${name}_`,
  `${name}.`,
  `${name}--`,
  name.replace(/[a-z]/g, (letter, index: number) => index % 2 === 0 ? letter : letter.toUpperCase())
]

/** The name as the most lenient server reads it. */
const variable = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, "_").replace(/^_|_$/g, "")

const claims =
  /^(?:X_AUTH|X_USER|X_REMOTE|REMOTE|X_WEBAUTH|X_AUTHENTICATED|X_ACCESS_TOKEN|X_JWT|X_GOOG|X_FORWARDED)(?:_|$)/

/** Everything in the request that a server could take for an identity, as `[variable, value]`. */
const identityOf = ({ rawHeaders }: RecordedRequest): ReadonlyArray<readonly [string, string]> =>
  rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && claims.test(variable(name)) ? [[variable(name), rawHeaders[index + 1] ?? ""] as const] : []
  )

const ownIdentity = Object.entries(own).map(([name, value]) => [variable(name), value] as const)

const assertOwnIdentity = (request: RecordedRequest): void => {
  assert.sameDeepMembers([...identityOf(request)], ownIdentity)
}

const Fixture = GatewayFixture.layer()

layer(Fixture, { excludeTestServices: true })("forwarding", (it) => {
  it.effect("control: ordinary fields arrive, and identityOf sees what it must", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* GatewayFixture
      const request = yield* forwarded({ lines: ["X-Authority: kept", "X-Custom: kept", "Remotely: kept"] })
      for (const name of ["x-authority", "x-custom", "remotely"]) {
        assert.deepStrictEqual(request.headers(name), ["kept"])
      }
      assertOwnIdentity(request)
      const forged = { ...request, rawHeaders: [...request.rawHeaders, "X_Auth.User-Id", "root"] }
      assert.throws(() => assertOwnIdentity(forged))
    }))

  it.effect("FWD-01 FWD-02 no spelling of an identity field that a client sends arrives", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      for (const name of identityNames) {
        yield* reset
        const lines = spellings(name).map((spelling, index) => `${spelling}: spoofed-${index}`)
        for (const target of ["/mcp", "/mcp/below"]) {
          const request = yield* forwarded({ lines, target })
          assertOwnIdentity(request)
          assert.notInclude(request.rawHeaders.join("\n"), "spoofed", name)
        }
      }
    }))

  it.effect("FWD-01 identity fields open no public path to the upstream", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const lines = identityNames.map((name) => `${name}: spoofed`)
      for (const [target, status] of [["/.well-known/oauth-protected-resource", 200], ["/healthz", 200], ["/x", 404]]) {
        const { answers } = yield* send({ method: "GET", target: String(target), authorization: null, lines })
        assert.strictEqual(answers[0]?.status, status)
        assert.notInclude(answers[0]?.text, "spoofed")
      }
      assert.isEmpty(upstream.requests())
    }))

  it.effect("FWD-02 names that are no tokens are refused, not repaired", () =>
    Effect.gen(function*() {
      const { bytes, forwarded, gateway, reset, upstream } = yield* GatewayFixture
      for (
        const name of [
          "X-Auth-User-Id\xa0",
          "\xa0X-Auth-User-Id",
          "X-Auth-User-Id ",
          "X-Auth\x00-User",
          "X-Auth-Us\xe9r"
        ]
      ) {
        yield* reset
        const { answers } = yield* rawExchange(gateway.origin, bytes({ lines: [`${name}: root`] }))
        assert.strictEqual(answers[0]?.status, 400, JSON.stringify(name))
        assert.isEmpty(upstream.requests())
        yield* forwarded()
      }
    }))

  it.effect("FWD-03 repeated and comma-joined fields become the gateway's one field line", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      assertOwnIdentity(
        yield* forwarded({
          lines: [
            "X-Auth-User-Id: root",
            "x-auth-user-id: admin",
            "X-Auth-User-Id: dev-user, root",
            "X-Auth-Scopes: admin"
          ]
        })
      )
    }))

  it.effect("FWD-04 Connection takes no field of the gateway's away", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      const names = [...Object.keys(own), "x-trace-id", "host", "content-length", "authorization"]
      const lists = [
        names.join(", "),
        names.map(capitals).join(","),
        `close, ${names.join(" , ")}`,
        `,,${names.join(",\t")},`
      ]
      for (const list of lists) {
        yield* reset
        const request = yield* forwarded({
          lines: [`Connection: ${list}`, "X-Trace-Id: trace-1", "X-Auth-User-Id: root"]
        })
        assertOwnIdentity(request)
        assert.deepStrictEqual(request.headers("x-trace-id"), ["trace-1"])
        assert.deepStrictEqual(request.headers("content-length"), [String(ping.length)])
        assert.lengthOf(request.headers("host"), 1)
      }
      const repeated = yield* forwarded({
        lines: ["Connection: X-Custom", "X-Custom: hop", "Connection: x-auth-user-id, x-other", "X-Other: hop"]
      })
      assertOwnIdentity(repeated)
      assert.isEmpty([...repeated.headers("x-custom"), ...repeated.headers("x-other")])
    }))

  it.effect("FWD-05 hop-by-hop fields end here", () =>
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

  it.effect("FWD-05 an upgrade is an ordinary request: judged like any other, and never a tunnel", () =>
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
        yield* assertRefused(fixture, { lines, authorization: null }, { status: 401, error: "unauthorized" })
      }
    }))

  it.effect("FWD-06 trailer fields end here", () =>
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
      const { answers } = yield* rawExchange(gateway.origin, [...head, "", ...chunks].join("\r\n"))
      assert.strictEqual(answers[0]?.status, 200)
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
      const everything = [request.url, ...request.rawHeaders, Buffer.fromyield * textOf(request)]
      assert.isEmpty(leaks(everything, token))
      assert.isEmpty(leaks(logs.entries(), token))
      assert.isNotEmpty(logs.entries())
    }))

  it.effect("FWD-17 forwarding fields of an untrusted peer end here", () =>
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

  it.effect("FWD-18 no field of a client's switches anything off", () =>
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
      for (const line of lines) yield* assertRefused(fixture, { authorization: null, lines: [line] }, missing)
      yield* assertRefused(fixture, { authorization: null, lines }, missing)
      assertOwnIdentity(yield* fixture.forwarded({ lines }))
    }))
})

const Forwarding = GatewayFixture.layer({ forwardAuthorization: true, trustedProxies: { _tag: "All" } })

layer(Forwarding, { excludeTestServices: true })("forwarding, with what is off by default", (it) => {
  it.effect("FWD-07 MCP_FORWARD_AUTHORIZATION hands exactly the client's Authorization on", () =>
    Effect.gen(function*() {
      const { forwarded, token } = yield* GatewayFixture
      const request = yield* forwarded({ lines: ["Authorization_: x", "Proxy-Authorization: x"] })
      assert.deepStrictEqual(request.headers("authorization"), [`Bearer ${token}`])
      assert.isEmpty([...request.headers("authorization_"), ...request.headers("proxy-authorization")])
    }))

  it.effect("FWD-17 forwarding fields of a trusted proxy go on, identity fields do not", () =>
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

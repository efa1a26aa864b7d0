import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"
import { respond } from "../support/upstreamResponses.ts"

const denied = { status: 403, error: "access_denied" }

type Fixture = GatewayFixture["Service"]

/** Each origin with a good token, and without one: the origin is checked first. */
const withOrigins = ({ token }: Fixture, origins: ReadonlyArray<string>) =>
  origins.flatMap((origin): ReadonlyArray<Hostile> => [
    [`${origin} with a good token`, () => post([`Origin: ${origin}`, `Authorization: Bearer ${token}`])],
    [`${origin} without a token`, () => post([`Origin: ${origin}`])]
  ])

/** One response, and its fields about origins. */
const corsOf = Effect.fnUntraced(function*({ gateway }: Fixture, bytes: string) {
  const { responses: [response] } = yield* rawExchange(gateway.origin, bytes)
  if (response === undefined) return assert.fail("no response")
  return {
    status: response.status,
    origin: response.headers("access-control-allow-origin"),
    credentials: response.headers("access-control-allow-credentials"),
    varies: response.headers("vary").join().split(/, ?/).includes("Origin"),
    response
  }
})

/** Origins that a browser may send to look like a loopback origin. */
const almostLoopback = [
  "null",
  "",
  "http://evil.example",
  "http://localhost.evil.example",
  "http://evillocalhost",
  "http://127.0.0.1.evil.example",
  "http://[::1].evil.example",
  "http://localhost@evil.example",
  "http://evil.example@localhost",
  "http://localhost:3000@evil.example",
  "http://evil.example#localhost",
  "http://evil.example/localhost",
  "http://localhost/",
  "http://localhost/x",
  "http://localhost:80",
  "http://localhost:3000:3000",
  "http://localhost:99999",
  "http://LOCALHOST:3000",
  "HTTP://localhost:3000",
  "http://localhost.:3000",
  "http://127.1:3000",
  "http://2130706433",
  "http://0x7f.1",
  "http://0177.0.0.1",
  "http://0.0.0.0:3000",
  "http://[::]:3000",
  "http://[0:0:0:0:0:0:0:1]:3000",
  "http://[::ffff:127.0.0.1]:3000",
  "http://128.0.0.1",
  "http://192.168.0.1",
  "http://169.254.169.254",
  "http://loc\xe4lhost",
  "http://\xef\xbd\x8cocalhost",
  "ftp://localhost",
  "file://",
  "chrome-extension://localhost",
  "localhost",
  "//localhost",
  "http:localhost",
  "http://localhost, http://evil.example",
  "http://localhost http://evil.example",
  "*"
]

const listed = "https://good.example"

const almostListed = [
  "null",
  "",
  "https://good.example.evil.example",
  "https://evilgood.example",
  "https://evil.good.example",
  "https://goodxexample",
  "https://good.example@evil.example",
  "https://good.example:8443",
  "https://good.example:443",
  "http://good.example",
  "HTTPS://good.example",
  "https://GOOD.example",
  "https://good.example.",
  "https://good.example/",
  "https://good.example/path",
  "https://good.example?x",
  "https://good.example#x",
  "https://good.example%00",
  "https://xn--good-example-x.example",
  "https://g\xf6od.example",
  "https://good.example, https://good.example",
  "https://good.example https://evil.example",
  "good.example",
  "http://localhost:3000",
  "*"
]

layer(GatewayFixture.layer(), { excludeTestServices: true })("browsers", (it) => {
  it.effect("WEB-01 rejects a page whose name was rebound to the gateway's address", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const rebound = (...lines: ReadonlyArray<string>) =>
        post([...lines, `Authorization: Bearer ${fixture.token}`]).replace("Host: 127.0.0.1", "Host: evil.example:3000")
      yield* assertAllHostile(fixture, denied, [
        ["both names", () => rebound("Origin: http://evil.example:3000")],
        ["for the origin alone", () => post(["Origin: http://evil.example:3000"])],
        ["with the fields of a fetch", () => rebound("Origin: http://evil.example:3000", "Sec-Fetch-Site: same-origin")]
      ])
      const response = yield* assertHostile(fixture, denied, "CORS", () => rebound("Origin: http://evil.example:3000"))
      assert.isEmpty(response.headers("access-control-allow-origin"))
      assert.deepStrictEqual(response.headers("vary"), ["Origin"])
    }))

  it.effect("WEB-02 accepts as a loopback origin only one that is one character for character", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      yield* assertAllHostile(fixture, denied, withOrigins(fixture, almostLoopback))
      yield* assertAllHostile(fixture, denied, [
        ["two origins", () => fixture.bytes({ lines: ["Origin: http://localhost", "Origin: http://evil.example"] })],
        ["two in reverse", () => fixture.bytes({ lines: ["Origin: http://evil.example", "Origin: http://localhost"] })],
        ["one twice", () => fixture.bytes({ lines: ["Origin: http://localhost", "oRIGIN: http://localhost"] })]
      ])
    }))

  it.effect("WEB-02 accepts as a listed origin only one that is equal character for character", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture.make({ allowedOrigins: { _tag: "List", origins: [listed] } })
      yield* assertAllHostile(fixture, denied, withOrigins(fixture, almostListed))
      yield* fixture.forwarded({ lines: [`Origin: ${listed}`] })
    }))

  it.effect("WEB-03 accepts requests without an Origin, and of every loopback origin, each with a token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const origins = [
        "http://localhost",
        "http://localhost:6274",
        "https://localhost:8443",
        "http://127.0.0.1:3000",
        "http://127.5.6.7:1",
        "http://[::1]:3000"
      ]
      yield* fixture.forwarded()
      for (const origin of origins) {
        const lines = [`Origin: ${origin}`]
        yield* fixture.forwarded({ lines })
        yield* assertHostile(fixture, { status: 401, error: "unauthorized" }, origin, () => post(lines), { lines })
        const { credentials, origin: allowed, varies } = yield* corsOf(fixture, fixture.bytes({ lines }))
        assert.deepStrictEqual([allowed, credentials, varies], [[origin], [], true])
      }
    }))

  it.effect("WEB-04 never allows CORS credentials, and allows unlisted origins only on public metadata", () =>
    Effect.gen(function*() {
      const evil = "Origin: https://evil.example"
      const restricted = [
        yield* GatewayFixture,
        yield* GatewayFixture.make({
          allowedOrigins: { _tag: "List", origins: [listed] }
        })
      ]
      for (const fixture of restricted) {
        for (
          const bytes of [
            post([evil]),
            fixture.bytes({ lines: [evil] }),
            bare("GET /healthz", evil),
            bare("GET /x", evil)
          ]
        ) {
          const { credentials, origin, varies } = yield* corsOf(fixture, bytes)
          assert.deepStrictEqual([origin, credentials, varies], [[], [], true])
        }
        const preflight = bare("OPTIONS /mcp", evil, "Access-Control-Request-Method: POST")
        const { credentials, origin, varies } = yield* corsOf(fixture, preflight)
        assert.deepStrictEqual([origin, credentials, varies], [[], [], true])
        const metadata = yield* corsOf(fixture, bare("GET /.well-known/oauth-protected-resource", evil))
        assert.deepStrictEqual([metadata.status, metadata.origin, metadata.credentials], [200, ["*"], []])
      }
      const open = yield* GatewayFixture.make({ allowedOrigins: { _tag: "Any" } })
      for (const bytes of [post([evil]), open.bytes({ lines: [evil] }), bare("OPTIONS /mcp", evil)]) {
        const { credentials, origin } = yield* corsOf(open, bytes)
        assert.deepStrictEqual([origin, credentials], [["*"], []])
      }
    }))

  it.effect("WEB-04 replaces the MCP server's CORS fields, and keeps the rest of its Vary", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      yield* fixture.upstream.respondWith(respond({
        headers: {
          "access-control-allow-origin": "https://evil.example",
          "access-control-allow-credentials": "true",
          "access-control-allow-private-network": "true",
          "vary": "Accept"
        }
      }))
      const { response, credentials, origin, status } = yield* corsOf(fixture, fixture.bytes())
      assert.deepStrictEqual([status, origin, credentials], [200, ["*"], []])
      assert.isEmpty(response.headers("access-control-allow-private-network"))
      assert.sameMembers(response.headers("vary").join().split(/, ?/), ["Accept", "Origin"])
      yield* fixture.reset
    }))
})

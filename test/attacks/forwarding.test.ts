import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import { assertOwnIdentity, own } from "./ownIdentity.ts"

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

const Fixture = GatewayFixture.layer()

layer(Fixture, { excludeTestServices: true })("identity fields", (it) => {
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

  it.effect("FWD-01 FWD-02 no identity field of a client arrives, however it is spelled", () =>
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
        const { responses } = yield* send({ method: "GET", target: String(target), authorization: null, lines })
        assert.strictEqual(responses[0]?.status, status)
        assert.notInclude(responses[0]?.text, "spoofed")
      }
      assert.isEmpty(upstream.requests())
    }))

  it.effect("FWD-02 names that are not tokens are rejected, not repaired", () =>
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
        const { responses } = yield* rawExchange(gateway.origin, bytes({ lines: [`${name}: root`] }))
        assert.strictEqual(responses[0]?.status, 400, JSON.stringify(name))
        assert.isEmpty(upstream.requests())
        yield* forwarded()
      }
    }))

  it.effect("FWD-03 repeated and comma-joined fields are replaced by the gateway's one field line", () =>
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

  it.effect("FWD-04 Connection cannot remove the gateway's fields", () =>
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
})

import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { initialize } from "../fixtures/messages.ts"
import { introspectionProvider, jwtProvider } from "../fixtures/providers.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"

// Texts that break headers, logs, JSON, shells, paths and terminals, or that do not fit into Latin-1.
const naughty = [
  "user\r\nX-Auth-User-Id: root",
  "user\nX-Injected: 1",
  "user\rX-Injected: 1",
  "\r\n\r\nGET /mcp HTTP/1.1\r\nHost: x\r\n\r\n",
  "nul\0byte",
  "\u0001\u001b[31mred\u007f",
  " leading and trailing ",
  "\ttab\t",
  "a,b",
  "a;b=c",
  "a b",
  "\"quoted\\\"",
  "100%",
  "%0d%0aX-Injected:%201",
  "%",
  "../../etc/passwd",
  "${jndi:ldap://x/a}",
  "$(id) `id` | id",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "山田 太郎",
  "Ünïcödé",
  "\u00a0nbsp\u00ad",
  "\u202eright-to-left\u202c",
  "\ufeffbom",
  "e\u0301 and é",
  "👩‍👩‍👧‍👦 𝒳",
  "\u2028line\u2029paragraph\u0085next",
  "__proto__",
  "constructor",
  "undefined",
  "null",
  "-1e400",
  "x".repeat(1024)
]

/** A gateway whose one provider is a test issuer. */
class Issued extends Context.Service<Issued, {
  readonly issuer: TestIssuer["Service"]
  readonly fixture: GatewayFixture["Service"]
}>()("mcp-authorizer/test/attacks/forwardingClaims.test/Issued") {
  static readonly layer = Layer.effect(
    Issued,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
      const providers = [jwtProvider(issuer), introspectionProvider(issuer)]
      return { issuer, fixture: yield* GatewayFixture.make({ providers }) }
    })
  )
}

/** What the upstream gets about the bearer of a token with these claims, in fields and in the message. */
const told = Effect.fnUntraced(function*(token: string) {
  const { fixture } = yield* Issued
  const request = yield* fixture.forwarded({ authorization: `Bearer ${token}`, body: initialize })
  const values = (name: string) => {
    const lines = request.headers(name)
    for (const line of lines) assert.match(line, /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/)
    assert.isAtMost(lines.length, 1, name)
    return lines
  }
  const message = JSON.parse(yield* textOf(request))
  return { request, values, context: message.params._authContext }
})

const claimed = (claims: Record<string, unknown>) =>
  Effect.gen(function*() {
    const { issuer } = yield* Issued
    return yield* told(yield* issuer.sign({ claims }))
  })

const decoded = (lines: ReadonlyArray<string>) => lines.map((line) => decodeURIComponent(line))

/** Fields that no request of these tests has, unless a value broke out of its own. */
const expectedNames: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-type",
  "content-length",
  "accept-encoding",
  "x-trace-id",
  "x-auth-user-id",
  "x-auth-client-id",
  "x-auth-issuer",
  "x-auth-scopes",
  "x-auth-email",
  "x-auth-provider",
  "x-auth-principal"
])

const assertNothingInjected = (rawHeaders: ReadonlyArray<string>) => {
  const names = rawHeaders.filter((_, index) => index % 2 === 0)
  assert.isTrue(names.every((name) => expectedNames.has(name)), names.join())
}

layer(Issued.layer, { excludeTestServices: true })("claims on their way upstream", (it) => {
  it.effect("FWD-09 hostile subjects, e-mail addresses and clients arrive decodable, and break nothing", () =>
    Effect.gen(function*() {
      for (const value of naughty) {
        const { context, request, values } = yield* claimed({ sub: value, email: value, client_id: value, name: value })
        assert.deepStrictEqual(decoded(values("x-auth-user-id")), [value])
        assert.deepStrictEqual(decoded(values("x-auth-email")), [value])
        assert.deepStrictEqual(decoded(values("x-auth-client-id")), [value])
        assert.deepStrictEqual(context, { authenticated_user: value, email: value, provider: "main" })
        assertNothingInjected(request.rawHeaders)
      }
    }))

  it.effect("FWD-09 half a surrogate pair is rejected as a subject, and dropped as an e-mail address", () =>
    Effect.gen(function*() {
      const { fixture, issuer } = yield* Issued
      const payload = (name: string) =>
        `{"iss":${JSON.stringify(issuer.issuer)},"aud":${JSON.stringify(issuer.audience)},"exp":4102444800,` +
        `"iat":0,${name}}`
      const bad = yield* issuer.sign({ payloadJson: payload(`"sub":"\\ud800"`) })
      const { responses } = yield* fixture.send({ authorization: `Bearer ${bad}` })
      assert.strictEqual(responses[0]?.status, 401)
      const good = yield* issuer.sign({ payloadJson: payload(`"sub":"user","email":"\\udc00@example.com"`) })
      const { context, values } = yield* told(good)
      assert.deepStrictEqual([values("x-auth-email"), context.email], [[], null])
    }))

  it.effect.prop(
    "FWD-09 any subject arrives as itself, in the field and in the message",
    { sub: Schema.String.check(Schema.isMinLength(1)) },
    ({ sub }) =>
      Effect.gen(function*() {
        if (!sub.isWellFormed()) return
        const { context, request, values } = yield* claimed({ sub })
        assert.deepStrictEqual(decoded(values("x-auth-user-id")), [sub])
        assert.strictEqual(context.authenticated_user, sub)
        assertNothingInjected(request.rawHeaders)
      }),
    { arbitrary: { runs: 100 } }
  )

  it.effect("FWD-09 an overlong subject is rejected, another long claim does not matter", () =>
    Effect.gen(function*() {
      const { fixture, issuer } = yield* Issued
      const opaque = (subject: string) => issuer.issueOpaque({ subject, claims: { description: "d".repeat(65_536) } })
      const { values } = yield* told(yield* opaque("x".repeat(1024)))
      assert.deepStrictEqual(values("x-auth-user-id"), ["x".repeat(1024)])
      const { responses } = yield* fixture.send({ authorization: `Bearer ${yield* opaque("x".repeat(65_536))}` })
      assert.strictEqual(responses[0]?.status, 401)
    }))

  it.effect("FWD-10 scopes that contain separators stay the same scopes", () =>
    Effect.gen(function*() {
      const scopes = ["read", "a,b", "c;d", "100%", "%20", "é", "\"q\"", "mcp:read", "https://x/y?z=1", "admin+x"]
      for (const claims of [{ scp: scopes }, { scope: scopes.join(" ") }]) {
        const { values } = yield* claimed(claims)
        assert.deepStrictEqual(values("x-auth-scopes").flatMap((line) => decoded(line.split(" "))), scopes)
      }
      // A blank inside a scope would make two of one.
      const { values } = yield* claimed({ scp: ["read", "ad min", "admin\t", ""] })
      assert.deepStrictEqual(values("x-auth-scopes"), ["read"])
    }))

  it.effect("FWD-07 no part of a JWT reaches the upstream or the log", () =>
    Effect.gen(function*() {
      const { fixture, issuer } = yield* Issued
      const token = yield* issuer.sign()
      const authorization = `Bearer ${token}`
      const request = yield* fixture.forwarded({ authorization })
      const seen = [...request.rawHeaders, yield* textOf(request), ...fixture.logs.entries()].join("\n")
      for (const part of token.split(".")) assert.notInclude(seen, part)
      const forged = `${authorization.slice(0, -8)}AAAAAAAA`
      const { responses } = yield* fixture.send({ authorization: forged })
      assert.strictEqual(responses[0]?.status, 401)
      for (const part of token.split(".").slice(0, 2)) assert.notInclude(fixture.logs.entries().join("\n"), part)
    }))
})

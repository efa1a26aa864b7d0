/** What the log says about rejections: what was found and what was expected, where it is public or proven. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { requireScopes } from "../../src/authorize/requireScopes.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { SignOptions } from "../../src/issuer/TestIssuerOptions.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import { introspectionProvider, jwtProvider } from "../fixtures/providers.ts"
import { start, verifierOf, withProviders } from "./support.ts"

const setUp = Effect.fnUntraced(function*(changes: Partial<JwtProvider> = {}) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["RS256", "ES384"] })
  const verify = yield* verifierOf(jwtProvider(issuer, { algorithms: ["RS256"], ...changes }))
  return { issuer, detailOf: (token: string) => Effect.map(Effect.flip(verify(token)), ({ detail }) => detail ?? "") }
})

const subject = "canary-subject-of-nobody"

const found: ReadonlyArray<readonly [options: SignOptions, includes: ReadonlyArray<string>]> = [
  [{ claims: { aud: "account" } }, ["aud is \"account\"; MCP_JWT_AUDIENCE is \"https://mcp.example/mcp\""]],
  [{ claims: { aud: ["a", "b"] } }, ["aud is \"a\", \"b\";"]],
  [{ claims: { aud: Array.from({ length: 50 }, (_, index) => `aud-${index}`) } }, ["\"aud-7\" and 42 more;"]],
  [{ claims: { aud: undefined } }, ["aud is missing; MCP_JWT_AUDIENCE is \"https://mcp.example/mcp\""]],
  [{ key: "ES384" }, ["alg is ES384; MCP_JWT_ALGORITHM is RS256"]],
  [{ header: { alg: "HS512" } }, ["alg is \"HS512\"", "refresh tokens"]],
  [{ header: { alg: "none" } }, ["alg is \"none\""]],
  [{ claims: { iss: "https://other.example" } }, ["iss is \"https://other.example\"; configured: \"http://127.0.0.1:"]],
  [{ claims: { iss: undefined } }, ["iss is missing; configured:"]],
  [{ claims: { iss: "x\r\nforged: line" } }, ["iss is \"x\\u{d}\\u{a}forged: line\""]],
  [{ claims: { iss: "x".repeat(5_000) } }, [`iss is "${"x".repeat(160)}…"`]],
  [{ header: { kid: "k9" } }, ["\"k9\"", "RS256-1"]],
  [{ header: { typ: "logout+jwt" } }, ["a logout token (the header's typ is \"logout+jwt\")"]],
  [{ claims: { exp: start - 7_200, sub: subject } }, ["exp passed 2 hours ago; MCP_CLOCK_SKEW is 60 s"]],
  [{ claims: { exp: start - 61, sub: subject } }, ["exp passed 61 s ago"]],
  [{ claims: { nbf: start + 300, sub: subject } }, ["nbf is 5 minutes ahead of this clock; MCP_CLOCK_SKEW is 60 s"]],
  [{ claims: { iat: start + 172_800 } }, ["iat is 2 days ahead of this clock"]]
]

describe("the detail of a rejection", () => {
  it.effect("names what was found and what was expected, without a subject or control characters", () =>
    withProviders(Effect.gen(function*() {
      const { detailOf, issuer } = yield* setUp()
      for (const [options, includes] of found) {
        const detail = yield* detailOf(yield* issuer.sign(options))
        for (const part of includes) assert.include(detail, part)
        assert.match(detail, /^[\x20-\x7e\u2026]*$/)
        assert.notInclude(detail, subject)
        assert.isBelow(detail.length, 2_048)
      }
    })))

  it.effect("names nothing that the signature would have to prove", () =>
    withProviders(Effect.gen(function*() {
      const { detailOf, issuer } = yield* setUp()
      const token = yield* issuer.sign({ claims: { sub: subject, aud: "canary-audience", exp: 1 } })
      const [signed = ""] = token.split(/\.[^.]*$/)
      for (const forged of [`${signed}.${"A".repeat(342)}`, `${signed}.AAAA`]) {
        const detail = yield* detailOf(forged)
        assert.notMatch(detail, /canary|exp|aud/)
      }
    })))

  // As Ory Hydra 2.3 refreshes tokens of a sign-in that is older than its key.
  it.effect("names the key of a token that was signed with another key of the provider", () =>
    withProviders(Effect.gen(function*() {
      const { detailOf, issuer } = yield* setUp()
      yield* issuer.jwks
      const { kid } = yield* issuer.rotate("RS256")
      const token = yield* issuer.sign({ header: { kid: "RS256-1" } })
      assert.strictEqual(
        yield* detailOf(token),
        "the signature does not verify with the key \"RS256-1\", which the token names"
      )
      // The same with the right name is accepted, and the claims are the next to be checked.
      assert.notStrictEqual(kid, "RS256-1")
      assert.include(
        yield* detailOf(yield* issuer.sign({ header: { kid }, claims: { aud: "other" } })),
        "aud is \"other\""
      )
      assert.include(yield* detailOf(`${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(342)}`), "\"RS256-1\"")
    })))

  it.effect("names a token that is truncated or encrypted as such", () =>
    withProviders(Effect.gen(function*() {
      const { detailOf, issuer } = yield* setUp()
      const token = yield* issuer.sign()
      const [header = "", payload = ""] = token.split(".")
      assert.include(yield* detailOf(token.slice(0, -7)), "the token may be truncated")
      assert.include(yield* detailOf(`${header}.${payload}`), "a JWT that was cut off: it has 2 of 3 parts")
      assert.include(yield* detailOf(header), "a JWT that was cut off: it has 1 of 3 parts")
      assert.include(yield* detailOf(`${header}.AAAA.BBBB.CCCC.DDDD`), "an encrypted token (JWE, five parts)")
      assert.include(
        yield* detailOf("mat_0123456789"),
        "no provider has such tokens: it is no JWT (1 part, 14 characters)"
      )
    })))

  it.effect("names the issuer in an introspection response, and the expected one", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp()
      const verify = yield* verifierOf(introspectionProvider(issuer))
      const token = yield* issuer.issueOpaque({ claims: { iss: "https://inside.example" } })
      const { detail } = yield* Effect.flip(verify(token))
      assert.include(detail, `iss is "https://inside.example"; the provider's issuer is "${issuer.issuer}"`)
    })))

  it.effect("names the scopes that the token has, and those that it lacks", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const verify = yield* verifierOf(jwtProvider(issuer))
      const identity = yield* verify(yield* issuer.sign({ claims: { scope: "mcp:read other" } }))
      const settings = { providers: [], requiredScopes: ["mcp:read", "mcp:write"] }
      const rejected = Result.getOrUndefined(Result.flip(requireScopes(settings, identity)))
      assert.deepStrictEqual(rejected?.required, ["mcp:read", "mcp:write"])
      assert.include(rejected?.detail, "the token has 2 scopes: mcp:read other")
    })))
})

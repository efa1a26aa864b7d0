/** Set-ups that operators get wrong: each is named, with what was found, what was expected, and what to do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { StepName } from "../../src/explain/Explanation.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { SignOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { serveDocuments } from "../support/documentServer.ts"
import { start, withProviders } from "../verify/support.ts"
import { audience, failing, httpDate, makeGateway, stepOf } from "./support.ts"

const oidc = (issuer: string, changes: object = {}) => ({
  providers: [{ type: "oidc", name: "main", issuer, audience, ...changes }]
})

const setUp = Effect.fnUntraced(function*(changes: object = {}, gateway: object = {}) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256", "ES384"] })
  // Its clock is the one of the test, and its server's is not.
  const date = httpDate(start)
  yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ headers: { date } }), Number.POSITIVE_INFINITY)
  return {
    issuer,
    ...(yield* makeGateway({ ...oidc(issuer.issuer, { algorithms: "ES256", ...changes }), ...gateway }))
  }
})

interface Mistake {
  readonly what: string
  /** Mistakes in the token. */
  readonly sign?: SignOptions
  readonly change?: (token: string) => string
  /** Mistakes in the settings of the provider, or of the gateway. */
  readonly provider?: object
  readonly gateway?: object
  readonly rule: StepName
  readonly reason: string
  readonly status: number
  readonly found: RegExp
  readonly expected: RegExp
  readonly fix: RegExp
}

const mistakes: ReadonlyArray<Mistake> = [
  {
    what: "the wrong audience",
    sign: { claims: { aud: "account" } },
    rule: "audience",
    reason: "InvalidAudience",
    status: 401,
    found: /^"account"$/,
    expected: /^"https:\/\/mcp\.example\/mcp"$/,
    fix: /request its token for "https:\/\/mcp\.example\/mcp"/
  },
  {
    what: "an audience that ends with a slash",
    sign: { claims: { aud: `${audience}/` } },
    rule: "audience",
    reason: "InvalidAudience",
    status: 401,
    found: /mcp\/"$/,
    expected: /mcp"$/,
    fix: /differ only in the slash at the end/
  },
  {
    what: "no audience",
    sign: { claims: { aud: undefined, client_id: "c1" } },
    rule: "audience",
    reason: "MissingClaim",
    status: 401,
    found: /^missing$/,
    expected: /mcp"$/,
    fix: /MCP_ALLOWED_CLIENTS/
  },
  {
    what: "an ID token",
    sign: { claims: { at_hash: "x", nonce: "n" } },
    rule: "kind",
    reason: "ValidationFailed",
    status: 401,
    found: /an ID token \(it has the claim at_hash\)/,
    expected: /an access token/,
    fix: /send access_token, and not id_token/
  },
  {
    what: "a refresh token",
    sign: { claims: { typ: "Refresh" } },
    rule: "kind",
    reason: "ValidationFailed",
    status: 401,
    found: /a refresh token \(typ is "Refresh"\)/,
    expected: /an access token/,
    fix: /exchange the refresh token/
  },
  {
    what: "an algorithm that is not allowed",
    sign: { key: "ES384" },
    rule: "algorithm",
    reason: "UnsupportedAlgorithm",
    status: 401,
    found: /^ES384$/,
    expected: /^ES256$/,
    fix: /Add ES384 to MCP_JWT_ALGORITHM/
  },
  {
    what: "a symmetric algorithm",
    sign: { header: { alg: "HS512" } },
    rule: "algorithm",
    reason: "UnsupportedAlgorithm",
    status: 401,
    found: /alg is "HS512"/,
    expected: /a signature algorithm with a public key/,
    fix: /private key \(RS256, ES256\)/
  },
  {
    what: "an expired token",
    sign: { expiresIn: "-2 hours" },
    rule: "times",
    reason: "Expired",
    status: 401,
    found: /exp is 2027-01-15T06:00:00Z \(2 hours ago\).*the provider's clock and this one agree/,
    expected: /exp to come.*60 s of tolerance \(MCP_CLOCK_SKEW\)/,
    fix: /Get a new token.*It is not the clock/
  },
  {
    what: "a token that is not valid yet",
    sign: { claims: { nbf: start + 600 } },
    rule: "times",
    reason: "NotYetValid",
    status: 401,
    found: /nbf is 2027-01-15T08:10:00Z \(in 10 minutes\)/,
    expected: /nbf and iat passed/,
    fix: /not valid yet by the provider's clock either/
  },
  {
    what: "times in milliseconds",
    sign: { claims: { exp: start * 1000 } },
    rule: "times",
    reason: "ValidationFailed",
    status: 401,
    found: /exp is/,
    expected: /exp to come/,
    fix: /milliseconds/
  },
  {
    what: "a token without an end",
    sign: { claims: { exp: undefined } },
    rule: "times",
    reason: "MissingClaim",
    status: 401,
    found: /exp is missing/,
    expected: /exp to come/,
    fix: /write exp into its tokens/
  },
  {
    what: "an issuer that no provider has",
    sign: { claims: { iss: "https://other.example/realms/mcp" } },
    rule: "issuer",
    reason: "InvalidIssuer",
    status: 401,
    found: /"https:\/\/other\.example\/realms\/mcp"/,
    expected: /the issuer of a configured provider/,
    fix: /configure a provider with this issuer.*sign in at "http:\/\/127\.0\.0\.1/
  },
  {
    what: "a client that is not allowed",
    sign: { claims: { client_id: "stranger" } },
    provider: { allowed_clients: "claude" },
    rule: "client",
    reason: "InvalidAudience",
    status: 401,
    found: /^client_id is "stranger"$/,
    expected: /^one of "claude"$/,
    fix: /Add "stranger" to MCP_ALLOWED_CLIENTS/
  },
  {
    what: "a client that is not allowed, in a claim that the operator has named",
    sign: { claims: { client_id: "claude", "x-app": "stranger" } },
    provider: { allowed_clients: "claude", client_claims: "x-app" },
    rule: "client",
    reason: "InvalidAudience",
    status: 401,
    found: /^x-app is "stranger"$/,
    expected: /^one of "claude"$/,
    fix: /^Add "stranger" to MCP_ALLOWED_CLIENTS/
  },
  {
    what: "a second claim that names another client than the first",
    sign: { claims: { client_id: "claude", azp: "stranger" } },
    provider: { allowed_clients: "claude" },
    rule: "client",
    reason: "InvalidAudience",
    status: 401,
    found: /^client_id is "claude", azp is "stranger"$/,
    expected: /^one of "claude"$/,
    fix: /^Add "stranger" to MCP_ALLOWED_CLIENTS/
  },
  {
    what: "no client in the claim that the operator has named",
    sign: { claims: { client_id: "claude" } },
    provider: { allowed_clients: "claude", client_claims: "x-app" },
    rule: "client",
    reason: "MissingClaim",
    status: 401,
    found: /^the token names no client$/,
    expected: /^one of "claude"$/,
    fix: /^Have the provider write x-app into its tokens/
  },
  {
    what: "no subject in a person's token",
    sign: { claims: { sub: undefined, sid: "s", client_id: "c1" } },
    rule: "subject",
    reason: "MissingClaim",
    status: 401,
    found: /no sub but belongs to a person's session/,
    expected: /^sub, or the client of a program$/,
    fix: /write sub into access tokens/
  },
  {
    what: "a missing scope",
    sign: { claims: { scope: "mcp:read" } },
    gateway: { required_scopes: "mcp:read mcp:write" },
    rule: "required scopes",
    reason: "InsufficientScope",
    status: 403,
    found: /^"mcp:read"; missing: "mcp:write"$/,
    expected: /^all of "mcp:read", "mcp:write"$/,
    fix: /request "mcp:write" in addition/
  },
  {
    what: "a caller who is not listed",
    gateway: { allowed_subjects: "alice" },
    rule: "callers",
    reason: "Policy",
    status: 403,
    found: /the subject is not in MCP_ALLOWED_SUBJECTS/,
    expected: /a caller of MCP_ALLOWED_SUBJECTS/,
    fix: /Add the caller to MCP_ALLOWED_SUBJECTS/
  },
  {
    what: "a type that RFC 9068 requires",
    provider: { require_at_jwt: true },
    rule: "kind",
    reason: "ValidationFailed",
    status: 401,
    found: /the header's typ is "jwt", but MCP_REQUIRE_AT_JWT requires "at\+jwt"/,
    expected: /the type at\+jwt in the header/,
    fix: /MCP_REQUIRE_AT_JWT=false/
  },
  {
    what: "a truncated token",
    change: (token) => token.slice(0, -10),
    rule: "signature",
    reason: "InvalidSignature",
    status: 401,
    found: /the token may be truncated/,
    expected: /a signature that the key verifies/,
    fix: /Copy the whole token/
  },
  {
    what: "a token without its last part",
    change: (token) => token.slice(0, token.lastIndexOf(".")),
    rule: "provider",
    reason: "MalformedToken",
    status: 401,
    found: /a JWT that was cut off: it has 2 of 3 parts/,
    expected: /a token of a configured provider/,
    fix: /Copy the whole token/
  },
  {
    what: "a token that was changed",
    change: (token) => {
      const [header = "", payload = "", signature = ""] = token.split(".")
      const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "admin" }
      return `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`
    },
    rule: "signature",
    reason: "InvalidSignature",
    status: 401,
    found: /the signature does not verify with the key "[^"]+", which the token names/,
    expected: /a signature that the key verifies/,
    fix: /changed after it was signed/
  },
  {
    what: "an encrypted token",
    change: () =>
      `${Buffer.from("{\"alg\":\"dir\",\"enc\":\"A256GCM\"}").toString("base64url")}..AAAA.BBBBBBBB.CCCCCCCC`,
    rule: "provider",
    reason: "MalformedToken",
    status: 401,
    found: /an encrypted token \(JWE, five parts\)/,
    expected: /a token of a configured provider/,
    fix: /`audience` at Auth0/
  }
]

describe("A wrong set-up is understood from its explanation:", () => {
  for (const mistake of mistakes) {
    const { change = (token) => token, expected, fix, found, gateway, provider, reason, rule, sign, status, what } =
      mistake
    it.effect(what, () =>
      withProviders(Effect.gen(function*() {
        const { decide, explained, issuer } = yield* setUp(provider, gateway)
        const token = change(yield* issuer.sign(sign))
        const explanation = yield* explained(token)
        const { outcome } = explanation
        assert.deepInclude(outcome, { decision: "rejected", step: rule, reason }, JSON.stringify(explanation, null, 2))
        assert.strictEqual(outcome.response?.status, status)
        const step = stepOf(explanation, rule)
        assert.strictEqual(step.verdict, "fail")
        assert.match(step.found, found)
        assert.match(step.expected, expected)
        assert.match(step.fix ?? "", fix)
        assert.isUndefined(explanation.upstream)
        const verdict = yield* decide(token)
        assert.strictEqual(verdict._tag, status === 401 ? "Failure" : "Success")
      })))
  }

  it.effect("a good token is accepted, and every rule passes", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp({}, { required_scopes: "mcp:read" })
      const explanation = yield* explained(yield* issuer.sign({ claims: { scope: "mcp:read", client_id: "claude" } }))
      assert.deepInclude(explanation.outcome, {
        decision: "accepted",
        detail: "the caller is the user \"user-1\", through the client \"claude\""
      })
      assert.deepStrictEqual(explanation.provider, {
        name: "main",
        type: "oidc",
        chosenBy: "it has the token's issuer"
      })
      assert.deepStrictEqual(explanation.steps.map(({ name, verdict }) => `${name}: ${verdict}`), [
        "form: pass",
        "provider: pass",
        "kind: pass",
        "algorithm: pass",
        "key: pass",
        "signature: pass",
        "times: pass",
        "issuer: pass",
        "audience: pass",
        "client: pass",
        "subject: pass",
        "scopes: pass",
        "required scopes: pass"
      ])
      assert.deepInclude(explanation.upstream?.headers, { "x-auth-user-id": "user-1", "x-auth-scopes": "mcp:read" })
      assert.strictEqual(explanation.clockDifference, 0)
    })))

  it.effect("the claims that are forwarded are among the fields that the MCP server sees", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp({}, { forward_claims: { groups: "x-auth-groups", tid: "x-tenant" } })
      const { upstream } = yield* explained(yield* issuer.sign({ claims: { groups: ["staff", "a b"] } }))
      assert.strictEqual(upstream?.headers["x-auth-groups"], "staff a%20b")
      assert.notInclude(Object.keys(upstream?.headers ?? {}), "x-tenant")
    })))

  it.effect("all rules are checked, so that several mistakes are seen at once", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp({ allowed_clients: "claude" }, { required_scopes: "mcp:write" })
      const explanation = yield* explained(
        yield* issuer.sign({ claims: { aud: "other", client_id: "c2", scope: "mcp:read" }, expiresIn: "-15 minutes" })
      )
      assert.deepStrictEqual(failing(explanation), ["times", "audience", "client", "required scopes"])
      assert.strictEqual(explanation.outcome.step, "times")
    })))

  it.effect("an issuer with a slash is tolerated as the verifier tolerates it, and another spelling is named", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp()
      const slash = yield* explained(yield* issuer.sign({ claims: { iss: `${issuer.issuer}/` } }))
      assert.strictEqual(slash.outcome.decision, "accepted")
      const other = yield* explained(yield* issuer.sign({ claims: { iss: issuer.issuer.replace("http:", "https:") } }))
      assert.strictEqual(other.outcome.step, "issuer")
      assert.match(
        stepOf(other, "issuer").fix ?? "",
        /differ only in http and https. Set the provider's issuer \(MCP_JWT_ISSUER\)/
      )
    })))

  it.effect("a clock that is 10 minutes off is seen by the provider's Date, in both directions", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
      const { explained } = yield* makeGateway(oidc(issuer.issuer, { algorithms: "ES256" }))
      const at = Effect.fnUntraced(function*(ahead: number) {
        yield* issuer.behave()
        const date = httpDate(start + ahead)
        yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ headers: { date } }), 10)
        const claims = { iat: start + ahead, exp: start + ahead + 300 }
        return yield* explained(yield* issuer.sign({ claims }))
      })
      const behind = yield* at(600)
      assert.deepInclude(behind.outcome, { decision: "rejected", step: "times", reason: "NotYetValid" })
      assert.strictEqual(behind.clockDifference, 600)
      assert.match(stepOf(behind, "times").found, /the provider's clock is 10 minutes ahead of this one/)
      assert.match(stepOf(behind, "times").fix ?? "", /^Correct the clock/)
      const ahead = yield* at(-600)
      assert.deepInclude(ahead.outcome, { decision: "rejected", step: "times", reason: "Expired" })
      assert.match(stepOf(ahead, "times").found, /the provider's clock is 10 minutes behind this one/)
      assert.match(
        stepOf(ahead, "times").fix ?? "",
        /^Correct the clock.*by the provider's clock the token is still valid/
      )
      const good = yield* at(0)
      assert.strictEqual(good.outcome.decision, "accepted")
    })))

  it.effect("a key that was rotated is named, with the keys that are published now", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp()
      const old = yield* issuer.sign()
      assert.strictEqual((yield* explained(old)).outcome.decision, "accepted")
      const { kid } = yield* issuer.key("ES256")
      const next = yield* issuer.rotate("ES256")
      yield* issuer.removeKey(kid)
      const copied = yield* explained(old)
      assert.strictEqual(copied.outcome.decision, "accepted")
      assert.match(stepOf(copied, "key").found, /only in the gateway's copy, and no longer published/)
      yield* TestClock.adjust("6 minutes")
      const explanation = yield* explained(yield* issuer.sign({ key: yield* issuer.key("ES256"), header: { kid } }))
      assert.deepInclude(explanation.outcome, { decision: "rejected", step: "key", reason: "UnknownKey" })
      const step = stepOf(explanation, "key")
      assert.include(step.expected, `kid "${kid}" for ES256`)
      assert.include(step.found, next.kid)
      assert.notInclude(step.found, `"${kid}"`)
      assert.match(step.fix ?? "", /has replaced the key.*Get a new token/)
      assert.strictEqual(stepOf(explanation, "signature").verdict, "skipped")
      assert.strictEqual((yield* explained(yield* issuer.sign())).outcome.decision, "accepted")
    })))

  it.effect("a provider that is down makes the outcome unknown, with the reason", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* setUp()
      const token = yield* issuer.sign()
      yield* issuer.behave()
      yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }), Number.POSITIVE_INFINITY)
      const gateway = yield* makeGateway(
        oidc(issuer.issuer, { jwks_uri: `${issuer.issuer}/oauth2/jwks`, algorithms: "ES256" })
      )
      const explanation = yield* gateway.explained(token)
      assert.deepInclude(explanation.outcome, { decision: "unknown", step: "key", reason: "ProviderUnavailable" })
      assert.strictEqual(explanation.outcome.response?.status, 500)
      const step = stepOf(explanation, "key")
      assert.strictEqual(step.verdict, "unknown")
      assert.match(step.found, /\/oauth2\/jwks: Status 503/)
      assert.match(step.fix ?? "", /provider is running/)
      assert.isDefined(yield* explained(token))
    })))

  it.effect("a provider that redirects is named with the target", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp()
      yield* issuer.behave()
      const location = "https://elsewhere.example/keys?secret=x"
      yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Redirect({ location }), Number.POSITIVE_INFINITY)
      const gateway = yield* makeGateway(
        oidc(issuer.issuer, { jwks_uri: `${issuer.issuer}/oauth2/jwks`, algorithms: "ES256" })
      )
      const explanation = yield* gateway.explained(yield* issuer.sign())
      assert.deepInclude(explanation.outcome, { decision: "unknown", step: "key" })
      const step = stepOf(explanation, "key")
      assert.match(step.found, /Redirect 302, to https:\/\/elsewhere\.example\/keys/)
      assert.match(step.fix ?? "", /https:\/\/elsewhere\.example\/keys.*MCP_JWT_JWKS_URI/)
    })))

  it.effect("metadata that name the issuer with another spelling", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp()
      const { origin } = yield* serveDocuments((origin) => ({
        "/.well-known/openid-configuration": { issuer: `${origin}/realms/main`, jwks_uri: `${origin}/jwks` }
      }))
      const gateway = yield* makeGateway(oidc(origin, { algorithms: "ES256" }))
      const explanation = yield* gateway.explained(yield* issuer.sign({ claims: { iss: origin } }))
      assert.deepInclude(explanation.outcome, { decision: "unknown", step: "key" })
      assert.match(
        stepOf(explanation, "key").fix ?? "",
        /MCP_JWT_ISSUER\) to exactly "http:\/\/127\.0\.0\.1:\d+\/realms\/main"/
      )
    })))

  it.effect("of two providers the one with the token's issuer is responsible", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const one = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
      const two = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
      const { explained } = yield* makeGateway({
        providers: [one, two].map(({ issuer }, index) => ({
          type: "oidc",
          name: `provider-${index}`,
          issuer,
          audience,
          algorithms: "ES256"
        }))
      })
      assert.strictEqual((yield* explained(yield* two.sign())).provider?.name, "provider-1")
      // Signed by the other one, which has the same kid.
      const forged = yield* explained(yield* one.sign({ claims: { iss: two.issuer } }))
      assert.deepInclude(forged.outcome, { decision: "rejected", step: "signature" })
      assert.match(stepOf(forged, "signature").fix ?? "", /another realm, tenant or environment/)
    })))
})

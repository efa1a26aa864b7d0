/** Explanations of tokens that a provider verifies, of static ones, and of texts that are not tokens. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { StepName } from "../../src/explain/Explanation.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { OpaqueTokenOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { start, withProviders } from "../verify/support.ts"
import { audience, makeGateway, stepOf } from "./support.ts"

const introspecting = Effect.fnUntraced(function*(changes: object = {}) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
  const gateway = yield* makeGateway({
    providers: [{
      type: "introspection",
      name: "opaque",
      issuer: issuer.issuer,
      introspection_endpoint: issuer.introspectionEndpoint,
      client_id: issuer.client.id,
      client_secret: issuer.client.secret,
      audience,
      ...changes
    }]
  })
  return { issuer, ...gateway }
})

const rejected: ReadonlyArray<readonly [what: string, options: OpaqueTokenOptions, step: StepName, found: RegExp]> = [
  ["for another audience", { audience: "other" }, "audience", /^"other"$/],
  ["of another issuer", { claims: { iss: "https://other.example" } }, "issuer", /^"https:\/\/other\.example"$/],
  ["that is a refresh token", { claims: { token_type: "refresh_token" } }, "kind", /a refresh token/],
  ["that has expired", { claims: { exp: start - 900 } }, "times", /exp is 2027-01-15T07:45:00Z \(15 minutes ago\)/],
  ["that is bound to a key", { claims: { cnf: { jkt: "x" } } }, "kind", /sender-constrained/]
]

describe("An opaque token", () => {
  it.effect("is explained by introspection, with one request", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* introspecting()
      const token = yield* issuer.issueOpaque({ subject: "alice", clientId: "claude", scopes: ["mcp:read"] })
      const explanation = yield* explained(token)
      assert.deepInclude(explanation.outcome, {
        decision: "accepted",
        detail: "the caller is the user \"alice\", through the client \"claude\""
      })
      assert.deepInclude(explanation.provider, { name: "opaque", type: "introspection" })
      assert.deepStrictEqual(
        explanation.steps.map(({ name, verdict }) => `${name}: ${verdict}`),
        [
          "form: pass",
          "provider: pass",
          "kind: pass",
          "endpoint: pass",
          "times: pass",
          "issuer: pass",
          "audience: pass",
          "client: pass",
          "subject: pass",
          "scopes: pass",
          "required scopes: pass"
        ]
      )
      assert.strictEqual(explanation.upstream?.headers["x-auth-user-id"], "alice")
      assert.strictEqual(yield* issuer.hits("/oauth2/introspection"), 1)
    })))

  it.effect("that the provider does not know is inactive", () =>
    withProviders(Effect.gen(function*() {
      const { decide, explained, issuer } = yield* introspecting()
      const token = yield* issuer.issueOpaque()
      yield* issuer.revoke(token)
      const explanation = yield* explained(token)
      assert.deepInclude(explanation.outcome, { decision: "rejected", step: "endpoint", reason: "Inactive" })
      assert.strictEqual(stepOf(explanation, "endpoint").found, "active is false")
      assert.match(stepOf(explanation, "endpoint").fix ?? "", /expired, was revoked, or is from another provider/)
      assert.strictEqual(stepOf(explanation, "audience").verdict, "skipped")
      assert.deepInclude(yield* decide(token), { _tag: "Failure" })
    })))

  for (const [what, options, step, found] of rejected) {
    it.effect(`${what} is rejected as the verifier rejects it`, () =>
      withProviders(Effect.gen(function*() {
        const { decide, explained, issuer } = yield* introspecting()
        const token = yield* issuer.issueOpaque(options)
        const explanation = yield* explained(token)
        assert.deepInclude(explanation.outcome, { decision: "rejected", step })
        assert.match(stepOf(explanation, "endpoint").found, /active is true/)
        assert.match(stepOf(explanation, step).found, found)
        const verdict = yield* decide(token)
        assert.strictEqual(verdict._tag, "Failure")
        if (verdict._tag === "Failure") {
          assert.strictEqual("reason" in verdict.failure ? verdict.failure.reason : "", explanation.outcome.reason)
        }
      })))
  }

  it.effect("is not shown although the provider repeats it in every claim", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* introspecting()
      const token = yield* issuer.issueOpaque({ subject: "alice" })
      const echo = { active: true, iss: issuer.issuer, aud: audience, exp: start + 60, client_id: token, token }
      const body = JSON.stringify({ ...echo, sub: token, email: `${token}@example.com`, scope: `a ${token}` })
      yield* issuer.misbehave("/oauth2/introspection", Misbehaviour.Respond({ body }))
      const explanation = yield* explained(token)
      assert.strictEqual(explanation.outcome.decision, "accepted")
      assert.strictEqual(explanation.upstream?.headers["x-auth-user-id"], "(hidden)")
    })))

  it.effect("cannot be told while the provider rejects the gateway's own credentials", () =>
    withProviders(Effect.gen(function*() {
      const { explained, issuer } = yield* introspecting({ client_secret: "wrong" })
      const explanation = yield* explained(yield* issuer.issueOpaque())
      assert.deepInclude(explanation.outcome, { decision: "unknown", step: "endpoint" })
      assert.match(stepOf(explanation, "endpoint").fix ?? "", /MCP_CLIENT_ID, MCP_CLIENT_SECRET/)
    })))

  it.effect("is explained by userinfo", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
      const { decide, explained } = yield* makeGateway({
        providers: [{
          type: "userinfo",
          name: "people",
          issuer: issuer.issuer,
          userinfo_endpoint: issuer.userinfoEndpoint,
          token_prefix: "mat_"
        }]
      })
      const token = yield* issuer.issueOpaque({ prefix: "mat_", subject: "alice", email: "alice@example.com" })
      const good = yield* explained(token)
      assert.strictEqual(good.outcome.decision, "accepted")
      assert.strictEqual(good.provider?.chosenBy, "the token begins with its prefix mat_")
      const unknown = yield* explained("mat_unknown-token")
      assert.deepInclude(unknown.outcome, { decision: "rejected", step: "endpoint", reason: "Inactive" })
      yield* issuer.misbehave("/oauth2/userinfo", Misbehaviour.Respond({ body: "{\"email\":\"x@example.com\"}" }), 2)
      yield* issuer.misbehave("/oauth/userinfo", Misbehaviour.Respond({ body: "{\"email\":\"x@example.com\"}" }), 2)
      const nameless = yield* explained(token)
      assert.deepInclude(nameless.outcome, { decision: "rejected", step: "subject", reason: "MissingClaim" })
      assert.match(stepOf(nameless, "subject").fix ?? "", /scope openid/)
      assert.strictEqual((yield* decide("mat_unknown-token"))._tag, "Failure")
    })))
})

const staticText = "dev-0123456789-0123456789-0123456789"

describe("A static token", () => {
  it.effect("is explained by the list, with its expiry", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const { decide, explained } = yield* makeGateway({
        providers: [{
          type: "static",
          tokens: `${staticText}:c1:alice:mcp:read;${staticText}-old:c1:bob::${start - 60}`
        }]
      })
      const good = yield* explained(staticText)
      assert.strictEqual(good.token.form, "listed")
      assert.strictEqual(good.outcome.decision, "accepted")
      const old = yield* explained(`${staticText}-old`)
      assert.deepInclude(old.outcome, { decision: "rejected", step: "times", reason: "Expired" })
      assert.strictEqual((yield* decide(`${staticText}-old`))._tag, "Failure")
      const unknown = yield* explained(`${staticText}-new`)
      assert.deepInclude(unknown.outcome, { decision: "rejected", step: "provider", reason: "UnknownToken" })
      assert.match(stepOf(unknown, "provider").fix ?? "", /typing mistakes/)
    })))
})

describe("A text with a token in it", () => {
  it.effect("is rejected as it is, and the token in it is explained", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
      const { explained } = yield* makeGateway({
        providers: [{ type: "oidc", issuer: issuer.issuer, audience, algorithms: "ES256" }]
      })
      const token = yield* issuer.sign()
      const wrapped: ReadonlyArray<readonly [given: string, differences: RegExp, fix: RegExp]> = [
        [`Bearer ${token}`, /the word Bearer before it/, /writes the word Bearer/],
        [`Authorization: Bearer ${token}`, /the word Bearer before it/, /writes the word Bearer/],
        [`"${token}"`, /the quotation marks around it/, /Remove the quotation marks/],
        [
          `'Bearer ${token}'`,
          /the quotation marks around it and the word Bearer before it/,
          /Remove the quotation marks/
        ],
        [`${token.slice(0, 40)}\n${token.slice(40)}`, /the white space in it/, /in one piece/],
        [
          JSON.stringify({ access_token: token, token_type: "Bearer" }),
          /the JSON around it/,
          /the value of access_token/
        ]
      ]
      for (const [given, differences, fix] of wrapped) {
        const explanation = yield* explained(given)
        assert.deepInclude(explanation.outcome, { decision: "rejected", step: "form", reason: "MalformedToken" }, given)
        assert.match(explanation.outcome.detail, /Without .*, it would be accepted$/)
        assert.match(stepOf(explanation, "form").found, differences)
        assert.match(stepOf(explanation, "form").fix ?? "", fix)
        assert.strictEqual(stepOf(explanation, "signature").verdict, "pass")
      }
      for (const given of [`${token}\n`, `  ${token}\r\n`, `\t${token} `]) {
        assert.strictEqual((yield* explained(given)).outcome.decision, "accepted")
      }
      const wrong = yield* issuer.sign({ claims: { aud: "other" } })
      const both = yield* explained(`"${wrong}"`)
      assert.match(both.outcome.detail, /it would be rejected by the rule about audience$/)
    })))

  it.effect("that has no token in it is named by the mistake that it is", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const { explained } = yield* makeGateway({ providers: [{ type: "static", tokens: `${staticText}:c:s:` }] })
      const found = Effect.fnUntraced(function*(given: string) {
        const { outcome, steps, token } = yield* explained(given)
        assert.strictEqual(outcome.decision, "rejected")
        assert.strictEqual(token.form, "unusable")
        return `${steps[0]?.verdict}: ${steps[0]?.found}`
      })
      assert.match(yield* found(""), /^fail: no token after the scheme/)
      assert.match(yield* found("$TOKEN"), /^fail: a placeholder that was not replaced/)
      assert.match(yield* found("undefined"), /^fail: the word undefined in place of a token/)
      assert.match(yield* found("[object Object]"), /^fail: an object of the client's program/)
      assert.match(yield* found("x".repeat(20_000)), /^fail: the token has 20000 bytes, the limit is/)
    })))

  it.effect("is not looked at where authentication is switched off", () =>
    withProviders(Effect.gen(function*() {
      const { explained } = yield* makeGateway({ auth_enabled: false })
      const { outcome, steps } = yield* explained("anything at all")
      assert.strictEqual(outcome.decision, "accepted")
      assert.match(outcome.detail, /MCP_AUTH_ENABLED is false/)
      assert.isEmpty(steps)
    })))
})

describe("The rules of a server", () => {
  it.effect("decide about a method, a tool and its arguments", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const { explained } = yield* makeGateway({
        providers: [{ type: "static", tokens: `${staticText}:c1:alice:mcp:read` }],
        rules: [
          { tools: ["delete_*"], scopes: ["mcp:delete"] },
          { tools: ["admin_*"], when: "'admins' in identity.groups" },
          { tools: ["pay"], when: "message.arguments.amount <= 100" }
        ]
      })
      const asked = yield* explained(staticText)
      assert.strictEqual(stepOf(asked, "rules").verdict, "skipped")
      assert.strictEqual(asked.outcome.decision, "accepted")

      const free = yield* explained(staticText, { tool: "search" })
      assert.match(stepOf(free, "rules").expected, /no rule matches, so the default rule decides: authenticated/)
      assert.strictEqual(free.outcome.decision, "accepted")

      const scoped = yield* explained(staticText, { tool: "delete_all" })
      assert.deepInclude(scoped.outcome, { decision: "rejected", step: "rules", reason: "InsufficientScope" })
      assert.match(stepOf(scoped, "rules").expected, /^rule 1: scopes "mcp:delete"$/)
      assert.match(stepOf(scoped, "rules").fix ?? "", /request "mcp:delete"/)

      const admin = yield* explained(staticText, { tool: "admin_users" })
      assert.deepInclude(admin.outcome, { decision: "rejected", step: "rules", reason: "DeniedByRule" })
      assert.strictEqual(admin.outcome.response?.status, 403)

      const open = yield* explained(staticText, { tool: "pay" })
      assert.deepInclude(open.outcome, { decision: "unknown", step: "rules" })
      assert.match(stepOf(open, "rules").fix ?? "", /Give the arguments/)
      assert.strictEqual(
        (yield* explained(staticText, { tool: "pay", arguments: { amount: 5 } })).outcome.decision,
        "accepted"
      )
      assert.strictEqual(
        (yield* explained(staticText, { tool: "pay", arguments: { amount: 500 } })).outcome.decision,
        "rejected"
      )
      assert.strictEqual((yield* explained(staticText, { method: "tools/list" })).outcome.decision, "accepted")
    })))
})

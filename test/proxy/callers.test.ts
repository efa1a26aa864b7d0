/** Which callers are accepted, and what rules know of them, with the tokens of real providers over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { GatewaySettings, Provider } from "../../src/config/GatewaySettings.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { message, toolCall } from "../fixtures/messages.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"

type Claims = Readonly<Record<string, unknown>>

/** A gateway in front of one issuer; `ask` returns the status of a tool call, and the reason in the log. */
const start = Effect.fnUntraced(function*(
  overrides: Partial<GatewaySettings>,
  providerOf: (issuer: TestIssuer["Service"]) => Provider = (issuer) => jwtProvider(issuer)
) {
  const issuer = yield* TestIssuer.make()
  const { logs, reset, send, upstream } = yield* GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/mcp`, { providers: [providerOf(issuer)], ...overrides }),
      token: "none"
    })
  )
  const ask = Effect.fnUntraced(function*(token: string, body = toolCall("hello")) {
    yield* reset
    const { responses: [response] } = yield* send({ authorization: `Bearer ${token}`, body })
    const [forwarded] = upstream.requests()
    assert.strictEqual(response?.status === 200, forwarded !== undefined)
    return { status: response?.status, text: response?.text ?? "", log: logs.entries().join("\n"), forwarded }
  })
  return { issuer, ask }
})

describe("the lists of callers that are let in", () => {
  const emails = { email: "ann@example.com", email_verified: true }

  it.live("let in by verified e-mail address, by its domain, or by subject, and deny all others", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start({
        allowedEmails: ["ann@example.com"],
        allowedEmailDomains: ["xn--bcher-kva.example", "*.corp.example"],
        allowedSubjects: ["robot-1"]
      })
      const cases: ReadonlyArray<readonly [claims: Claims, status: number]> = [
        [emails, 200],
        [{ ...emails, email: "Ann@EXAMPLE.com" }, 200],
        [{ ...emails, email: "bob@bücher.example" }, 200],
        [{ ...emails, email: "bob@XN--BCHER-KVA.example" }, 200],
        [{ ...emails, email: "bob@a.corp.example" }, 200],
        [{ sub: "robot-1" }, 200],
        [{ sub: "robot-1", ...emails, email: "eve@elsewhere.example" }, 200],
        [{ sub: "ROBOT-1" }, 403],
        [{ sub: "robot-1 " }, 403],
        [{ sub: "robot-10" }, 403],
        [{}, 403],
        // An address is verified if the provider says so.
        [{ email: "ann@example.com" }, 403],
        [{ ...emails, email_verified: false }, 403],
        [{ ...emails, email_verified: "yes" }, 403],
        [{ ...emails, email: "bob@example.com" }, 403],
        [{ ...emails, email: "bob@corp.example" }, 403],
        [{ ...emails, email: "bob@badcorp.example" }, 403],
        [{ ...emails, email: "bob@a.corp.example.evil.example" }, 403],
        [{ ...emails, email: "ann@example.com@evil.example" }, 403],
        [{ ...emails, email: "evil@evil.example,ann@example.com" }, 403],
        [{ ...emails, email: "\"ann@example.com\"@evil.example" }, 403],
        [{ ...emails, email: "ann@example.com.evil.example" }, 403],
        [{ ...emails, email: "ann@example.com." }, 403],
        [{ ...emails, email: "ann@exa%6dple.com" }, 403],
        [{ ...emails, email: "@example.com" }, 403],
        [{ ...emails, email: ["ann@example.com"] }, 403]
      ]
      for (const [claims, status] of cases) {
        const response = yield* ask(yield* issuer.sign({ claims: { sub: "someone", ...claims } }))
        assert.strictEqual(response.status, status, JSON.stringify(claims))
        if (status !== 403) continue
        assert.include(response.text, "access_denied")
        assert.include(response.log, "MCP_ALLOWED_SUBJECTS")
        // Only the provider may learn who it was.
        assert.notMatch(response.text + response.log, /@|someone|robot/i)
      }
    }))

  it.live("say in the log why a caller is not on them", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start({ allowedEmailDomains: ["example.com"] })
      const logged = Effect.fnUntraced(function*(claims: Claims) {
        return (yield* ask(yield* issuer.sign({ claims }))).log
      })
      assert.include(yield* logged({ email: undefined }), "the token has no e-mail address that may be used")
      assert.include(yield* logged({ email: "ann@example.com" }), "MCP_REQUIRE_VERIFIED_EMAIL=false makes it count")
      assert.include(
        yield* logged({ ...emails, email: "ann@other.example" }),
        "nor its domain in MCP_ALLOWED_EMAIL_DOMAINS"
      )
    }))

  it.live("take addresses about which the provider says nothing where the operator vouches for them", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start(
        { allowedEmailDomains: ["example.com"] },
        (issuer) => jwtProvider(issuer, { trustEmail: true })
      )
      const status = Effect.fnUntraced(function*(claims: Claims) {
        return (yield* ask(yield* issuer.sign({ claims }))).status
      })
      assert.strictEqual(yield* status({ email: "ann@example.com" }), 200)
      assert.strictEqual(yield* status({ ...emails, email_verified: false }), 403)
      assert.strictEqual(yield* status({ email: "ann@other.example" }), 403)
    }))
})

const pay = (amount: string) => message("tools/call", `{"name":"pay","arguments":{"amount":${amount}}}`)

describe("what rules know of a caller", () => {
  const onlyAdmins = ruled({ rules: [{ tools: ["hello"], when: "'admins' in identity.groups" }], default_rule: "deny" })

  /** The groups as providers write them; the last column has the callers that are accepted with the usual claims. */
  const forms: ReadonlyArray<readonly [who: string, claims: Claims, isAdmin: boolean]> = [
    ["Okta", { groups: ["everyone", "admins"] }, true],
    ["Entra", { roles: ["admins"] }, true],
    ["Keycloak, of its realm", { realm_access: { roles: ["offline_access", "admins"] } }, true],
    [
      "Keycloak, of a client",
      { resource_access: { account: { roles: ["view"] }, notes: { roles: ["admins"] } } },
      true
    ],
    ["Auth0", { permissions: ["admins"] }, true],
    ["Cognito", { "cognito:groups": ["admins"] }, true],
    ["one group as a text", { groups: "admins" }, true],
    ["another claim", { "https://notes.example/groups": ["admins"] }, false],
    ["a part of a name", { groups: ["admins2", "xadmins", "admins editors"] }, false],
    ["another type", { groups: { admins: true }, roles: [["admins"], { name: "admins" }] }, false],
    ["groups that Entra keeps elsewhere", { _claim_names: { groups: "src1" }, roles: ["admins"] }, false],
    ["groups that Entra leaves out", { hasgroups: true, roles: ["admins"] }, false],
    [
      "more groups than are kept",
      { groups: [...Array.from({ length: 1_000 }, (_, index) => `${index}`), "admins"] },
      false
    ],
    ["none", {}, false]
  ]

  const kinds = {
    "a JWT": [
      (issuer: TestIssuer["Service"]) => jwtProvider(issuer),
      (issuer: TestIssuer["Service"], claims: Claims) => issuer.sign({ claims })
    ],
    introspection: [
      (issuer: TestIssuer["Service"]) => introspectionProvider(issuer),
      (issuer: TestIssuer["Service"], claims: Claims) => issuer.issueOpaque({ claims })
    ],
    userinfo: [
      (issuer: TestIssuer["Service"]) => userinfoProvider(issuer),
      (issuer: TestIssuer["Service"], claims: Claims) => issuer.issueOpaque({ claims })
    ]
  } as const

  for (const [kind, [providerOf, issue]] of Object.entries(kinds)) {
    it.live(`are its groups, from ${kind}, wherever a provider writes them`, () =>
      Effect.gen(function*() {
        const { ask, issuer } = yield* start({ ...onlyAdmins, maxTokenBytes: 65_536 }, providerOf)
        for (const [who, claims, isAdmin] of forms) {
          const token = yield* issue(issuer, claims)
          assert.strictEqual((yield* ask(token)).status, isAdmin ? 200 : 403, who)
          // The same from the memory of verdicts.
          assert.strictEqual((yield* ask(token)).status, isAdmin ? 200 : 403, who)
        }
      }))
  }

  it.live("are the groups of the claims that the operator names, and of no other", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start(onlyAdmins, (issuer) =>
        jwtProvider(issuer, { groupClaims: ["https://notes.example/groups", "resource_access.notes.roles"] }))
      const status = Effect.fnUntraced(function*(claims: Claims) {
        return (yield* ask(yield* issuer.sign({ claims }))).status
      })
      assert.strictEqual(yield* status({ "https://notes.example/groups": ["admins"] }), 200)
      assert.strictEqual(yield* status({ resource_access: { notes: { roles: ["admins"] } } }), 200)
      assert.strictEqual(yield* status({ resource_access: { other: { roles: ["admins"] } } }), 403)
      assert.strictEqual(yield* status({ groups: ["admins"], roles: ["admins"] }), 403)
    }))

  it.live("never leaves the gateway", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start({ ...onlyAdmins, injectRequestContext: true })
      const claims = { groups: ["admins", "canary-group"], department: "canary-claim" }
      const { forwarded, log, status } = yield* ask(yield* issuer.sign({ claims }))
      assert.strictEqual(status, 200)
      const sent = forwarded === undefined ? assert.fail("nothing was sent") : forwarded
      assert.notMatch(JSON.stringify(sent.rawHeaders) + (yield* textOf(sent)) + log, /canary-/)
    }))

  it.live("is enough to decide by arguments and groups together", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start(ruled({
        rules: [{
          tools: ["pay"],
          when: "message.arguments.amount <= 100 || 'finance' in identity.groups"
        }],
        default_rule: "deny"
      }))
      const anyone = yield* issuer.sign({ claims: { groups: ["staff"] } })
      const finance = yield* issuer.sign({ claims: { groups: ["finance"] } })
      for (
        const [amount, status] of [["100", 200], ["100.0", 200], ["1e2", 200], ["101", 403], ["\"1\"", 403], [
          "null",
          403
        ]] as const
      ) {
        assert.strictEqual((yield* ask(anyone, pay(amount))).status, status, amount)
        assert.strictEqual((yield* ask(finance, pay(amount))).status, 200, amount)
      }
      const denied = yield* ask(anyone, pay("\"canary-amount\""))
      assert.include(denied.log, "its condition failed: at position")
      assert.notInclude(denied.log + denied.text, "canary-amount")
    }))

  it.live("is nothing where its claims are larger than are kept, so that rules over them deny", () =>
    Effect.gen(function*() {
      const { ask, issuer } = yield* start(
        ruled({
          rules: [{ tools: ["open"], when: "identity.subject != ''" }, {
            tools: ["hello"],
            when: "!has(claims.suspended)"
          }],
          default_rule: "deny"
        }),
        (issuer) => introspectionProvider(issuer)
      )
      const small = yield* issuer.issueOpaque({ claims: {} })
      const large = yield* issuer.issueOpaque({ claims: { suspended: true, padding: "x".repeat(70_000) } })
      assert.strictEqual((yield* ask(small)).status, 200)
      assert.strictEqual((yield* ask(large)).status, 403)
      assert.strictEqual((yield* ask(large, toolCall("open"))).status, 200)
    }))
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { identityHeaders } from "../../src/forward/identityHeaders.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import {
  introspectionProvider,
  jwtProvider,
  staticProvider,
  staticToken,
  userinfoProvider
} from "../fixtures/providers.ts"
import { assertRejected, start, verifierOf, withProviders } from "./support.ts"

type Claims = Readonly<Record<string, unknown>>

const bot = { sub: undefined, client_id: "bot" }

/** Who bears a token, laid over `sub: "user-1"`. */
const bearers: ReadonlyArray<readonly [name: string, claims: Claims, subject: string, principal: string]> = [
  ["a person", {}, "user-1", "user"],
  ["a person of a session", { client_id: "bot", sid: "s", scope: "openid" }, "user-1", "user"],
  ["a person of Keycloak", { azp: "cli", preferred_username: "ada", typ: "Bearer" }, "user-1", "user"],
  [
    "a person named like a program",
    { azp: "cli", preferred_username: "service-account-cli", sid: "s" },
    "user-1",
    "user"
  ],
  ["a person named like another program", { azp: "cli", preferred_username: "service-account-x" }, "user-1", "user"],
  ["a person whose subject is that of the client", { sub: "bot", client_id: "bot", sid: "s" }, "bot", "user"],
  ["a program without subject", bot, "bot", "client"],
  ["a program whose subject is null", { ...bot, sub: null, scope: "mcp:read" }, "bot", "client"],
  ["a program of an older Entra", { sub: undefined, appid: "bot", idtyp: "app" }, "bot", "client"],
  ["a program of Okta", { sub: "bot", cid: "bot", scp: ["mcp:read"] }, "bot", "client"],
  ["a program of Auth0", { sub: "bot@clients", azp: "bot", gty: "client-credentials" }, "bot@clients", "client"],
  ["a program of Entra", { azp: "bot", idtyp: "app" }, "user-1", "client"],
  ["a program of SAP", { client_id: "bot", grant_type: "client_credentials" }, "user-1", "client"],
  ["a service account of Keycloak", { azp: "CLI", preferred_username: "service-account-cli" }, "user-1", "client"],
  [
    "a program of SAP without subject",
    { ...bot, grant_type: "client_credentials", authorities: ["a"] },
    "bot",
    "client"
  ],
  ["a program with a name and roles", { ...bot, name: "Nightly batch", roles: ["read"], acr: "1" }, "bot", "client"],
  ["a person who got a token for the client itself", { sub: "bot", client_id: "bot", gty: "password" }, "bot", "user"],
  ["empty claims of a session", { ...bot, sid: "", preferred_username: null, auth_time: null }, "bot", "client"]
]

/** Tokens of a person's session without the person. */
const mixtures: ReadonlyArray<readonly [claims: Claims, sign: string]> = [
  [{ ...bot, sid: "s" }, "it has the claim sid"],
  [{ ...bot, session_state: "s" }, "it has the claim session_state"],
  [{ ...bot, auth_time: start - 10 }, "it has the claim auth_time"],
  [{ ...bot, preferred_username: "ada" }, "it has the claim preferred_username"],
  [{ ...bot, username: "ada" }, "it has the claim username"],
  [{ ...bot, upn: "ada@example.com" }, "it has the claim upn"],
  [{ ...bot, email: "ada@example.com" }, "it has the claim email"],
  [{ ...bot, email_verified: false }, "it has the claim email_verified"],
  [{ ...bot, typ: "Bearer", nonce: "n" }, "it has the claim nonce"],
  [{ ...bot, session_id: "s" }, "it has the claim session_id"],
  [{ ...bot, uid: "00u" }, "it has the claim uid"],
  [{ ...bot, "cognito:username": "ada" }, "it has the claim cognito:username"],
  [{ ...bot, sub_id: { format: "opaque", id: "ada" } }, "it has the claim sub_id"],
  [{ ...bot, act: { sub: "helper" } }, "it has the claim act"],
  [{ ...bot, grant_type: "authorization_code" }, "its claim grant_type is not that of a program"],
  [{ ...bot, gty: ["refresh_token"] }, "its claim gty is not that of a program"],
  [{ ...bot, idtyp: "user" }, "its claim idtyp is not that of a program"],
  [{ ...bot, aut: "APPLICATION_USER" }, "its claim aut is not that of a program"],
  [{ ...bot, scope: "mcp:read openid" }, "it has the scope openid"],
  [{ ...bot, scope: undefined, scp: ["profile"] }, "it has the scope profile"],
  [{ ...bot, scope: "offline_access" }, "it has the scope offline_access"],
  [{ sub: null, client_id: undefined, azp: "mcp-light", sid: "s", typ: "Bearer" }, "it has the claim sid"]
]

const setUp = Effect.gen(function*() {
  yield* TestClock.setTime(start * 1000)
  return yield* TestIssuer.make()
})

describe("who calls", () => {
  it.effect("is a person or a program, as the token says, and the MCP server learns which", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer))
      const asking = yield* verifierOf(introspectionProvider(issuer))
      for (const [name, claims, subject, principal] of bearers) {
        const identity = yield* verify(yield* issuer.sign({ claims }))
        assert.deepStrictEqual([identity.subject, identity.principal], [subject, principal], name)
        assert.strictEqual(identityHeaders(identity)["x-auth-principal"], principal)
        const response = { client_id: undefined, scope: undefined, ...claims }
        const asked = yield* asking(yield* issuer.issueOpaque({ claims: response }))
        assert.deepStrictEqual([asked.subject, asked.principal], [subject, principal], name)
      }
    })))

  it.effect("is rejected where the token of a person's session has no subject, and the log says the fix", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer))
      const asking = yield* verifierOf(introspectionProvider(issuer))
      for (const [claims, sign] of mixtures) {
        const token = yield* issuer.sign({ claims })
        yield* assertRejected(verify, token, "MissingClaim")
        const { detail } = yield* Effect.flip(verify(token))
        assert.include(detail, `(${sign})`)
        assert.include(detail, "configure the provider to put sub into access tokens")
        const response = { client_id: undefined, scope: undefined, ...claims }
        yield* assertRejected(asking, yield* issuer.issueOpaque({ claims: response }), "MissingClaim")
      }
    })))

  it.effect("is a person for userinfo, and what the setting says for static tokens", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const verify = yield* verifierOf(
        userinfoProvider(issuer),
        staticProvider([
          staticToken("static-person"),
          staticToken("static-program", { clientId: "bot", subject: "bot" })
        ])
      )
      assert.strictEqual((yield* verify(yield* issuer.issueOpaque())).principal, "user")
      assert.strictEqual((yield* verify("static-person")).principal, "user")
      assert.strictEqual((yield* verify("static-program")).principal, "client")
    })))

  it("is left open by a verifier that does not know", () => {
    const identity = {
      subject: "s",
      clientId: undefined,
      issuer: "i",
      scopes: [],
      email: undefined,
      name: undefined,
      provider: "own",
      expiresAt: undefined,
      claims: {}
    }
    assert.notProperty(identityHeaders(identity), "x-auth-principal")
  })
})

describe("the e-mail address of a caller", () => {
  const email = "ada@example.com"
  const cases: ReadonlyArray<readonly [verified: unknown, usually: boolean, strictly: boolean]> = [
    [true, true, true],
    ["true", true, true],
    ["True", true, true],
    [undefined, true, false],
    [null, true, false],
    [false, false, false],
    ["false", false, false],
    ["", false, false],
    [0, false, false],
    [1, false, false],
    [{}, false, false]
  ]

  it.effect("is left out where the provider calls it unverified, or does not call it verified and must", () =>
    withProviders(Effect.gen(function*() {
      const issuer = yield* setUp
      const usual = yield* verifierOf(jwtProvider(issuer))
      const strict = yield* verifierOf(jwtProvider(issuer, { requireVerifiedEmail: true }))
      const asking = yield* verifierOf(introspectionProvider(issuer))
      for (const [verified, usually, strictly] of cases) {
        const claims = { email, email_verified: verified }
        const token = yield* issuer.sign({ claims })
        const said = (is: boolean) => is ? email : undefined
        const identity = yield* usual(token)
        assert.strictEqual(identity.email, said(usually), String(verified))
        assert.strictEqual(identityHeaders(identity)["x-auth-email"], said(usually))
        assert.strictEqual((yield* strict(token)).email, said(strictly), String(verified))
        assert.strictEqual((yield* asking(yield* issuer.issueOpaque({ claims }))).email, said(usually))
      }
    })))
})

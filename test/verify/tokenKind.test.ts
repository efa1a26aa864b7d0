import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { hmacSigner } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, start, verifierOf, type Verify, withProviders } from "./support.ts"

type Claims = Readonly<Record<string, unknown>>

const client = "editor-1"
const nonce = "n-0S6_WzA2Mj"
const logoutEvent = { "http://schemas.openid.net/event/backchannel-logout": {} }

/** Access tokens as providers make them, laid over `iss`, `aud`, `sub`, `iat` and `exp`. */
const access: ReadonlyArray<readonly [name: string, claims: Claims]> = [
  ["Keycloak 24", { typ: "Bearer", azp: client, nonce, sid: "s", scope: "openid" }],
  ["Keycloak without scopes", { typ: "Bearer", azp: client, nonce, at_hash: "h" }],
  ["Cognito", { token_use: "access", client_id: client, scope: "mcp/read" }],
  ["authentik", { azp: client, aud: client, nonce, auth_time: 1, uid: "x", scope: "openid profile" }],
  ["Casdoor", { azp: client, aud: [client], tokenType: "access-token", nonce: "", scope: "profile" }],
  ["Casdoor of a login with nonce", { azp: client, aud: [client], tokenType: "access-token", nonce }],
  ["Okta", { cid: client, uid: "00u", scp: ["openid"] }],
  ["Entra of a program for itself", { aud: client, azp: client, azpacr: "1", roles: ["Read"] }],
  ["Auth0 with permissions", { azp: client, permissions: ["read"], nonce }],
  ["ForgeRock", { tokenName: "access_token", token_type: "Bearer", nonce }],
  ["Curity", { purpose: "access_token", nonce }],
  ["RFC 8693", { token_type: "urn:ietf:params:oauth:token-type:access_token" }],
  ["Descope of a session", { drn: "DS", amr: ["email"] }],
  ["a format as type", { typ: "JWT", token_type: "JWT", tokenType: "JWTToken" }],
  ["empty words", { typ: "", token_use: "", token_type: "", nonce: "", at_hash: "", events: "" }],
  ["a client for itself", { sub: client, azp: client, aud: client }],
  ["a client id in addition to the only audience", { azp: client, aud: client, client_id: client }],
  ["an audience in addition to the client", { azp: client, aud: [client, "https://mcp.example/mcp"] }],
  ["claims of other meaning", { type: "employee", purpose: "demo", token_usage: "often", tokenName: "my laptop" }],
  ["a list of events", { events: ["created"], vp: "none", vc: 7 }]
]

/** What is no access token, and what the log must call it. */
const others: ReadonlyArray<readonly [name: string, claims: Claims, called: string]> = [
  ["Keycloak's ID token", { typ: "ID", azp: client, aud: client, nonce, at_hash: "h" }, "an ID token (typ is \"ID\")"],
  ["Cognito's ID token", { token_use: "id", aud: client }, "an ID token (token_use is \"id\")"],
  ["authentik's ID token", { aud: client, nonce, auth_time: 1 }, "an ID token (it has a nonce and no scope)"],
  ["with at_hash and scope", { scope: "openid", at_hash: "h" }, "an ID token (it has the claim at_hash)"],
  ["with c_hash", { c_hash: "h" }, "an ID token (it has the claim c_hash)"],
  ["with s_hash", { s_hash: "h" }, "an ID token (it has the claim s_hash)"],
  ["for its client alone", { aud: client, azp: client }, "an ID token (its only audience is its client"],
  ["for its client alone, in a list", { aud: [client], azp: client, scope: "" }, "an ID token"],
  ["ForgeRock's ID token", { tokenName: "id_token", tokenType: "JWTToken" }, "an ID token (tokenName is \"id_token\")"],
  ["Curity's ID token", { purpose: "id" }, "an ID token (purpose is \"id\")"],
  [
    "Keycloak's refresh token",
    { typ: "Refresh", scope: "openid", exp: undefined },
    "a refresh token (typ is \"Refresh\")"
  ],
  ["Keycloak's offline token", { typ: "Offline", exp: undefined }, "an offline token"],
  ["Hydra's refresh token", { token_use: "refresh_token", scope: "openid" }, "a refresh token"],
  ["older Hydra's", { token_type: "refresh_token", scope: "openid" }, "a refresh token"],
  ["token_use refresh", { token_use: "refresh", token_type: "Bearer" }, "a refresh token (token_use is \"refresh\")"],
  ["Casdoor's refresh token", { tokenType: "refresh-token", scope: "openid" }, "a refresh token"],
  ["Descope's refresh token", { drn: "DSR", amr: ["email"] }, "a refresh token (drn is \"DSR\")"],
  ["OpenIddict's refresh token", { token_usage: "refresh_token", token_type: "Bearer" }, "a refresh token"],
  ["a refresh token by type", { type: "refresh" }, "a refresh token"],
  ["RFC 8693", { token_type: "urn:ietf:params:oauth:token-type:refresh_token" }, "a refresh token"],
  ["Keycloak's logout token", { typ: "Logout", sid: "s", events: logoutEvent }, "a logout token (typ is \"Logout\")"],
  ["a logout token by its event", { sid: "s", events: logoutEvent }, "a logout token (it has the claim events)"],
  ["an access token with an event", { typ: "Bearer", events: logoutEvent }, "a logout token"],
  ["a security event token", { events: { "https://schemas.example/revoked": {} } }, "a security event token"],
  ["a verifiable presentation", { vp: { type: ["VerifiablePresentation"] }, nonce }, "a verifiable presentation"],
  ["a verifiable credential", { vc: { type: ["VerifiableCredential"] }, scope: "a" }, "a verifiable credential"],
  ["a credential of data model 2.0", { type: ["VerifiableCredential"] }, "a verifiable credential"],
  ["an SD-JWT credential", { vct: "https://credentials.example/id" }, "a verifiable credential"],
  ["an introspection response", { token_introspection: { active: true } }, "an introspection response"],
  ["an unknown word", { typ: "Registration\u001b[2J" }, "a token of another kind (typ is \"Registration\\u{1b}[2J\")"],
  ["no word at all", { token_use: ["access"] }, "a token of another kind (token_use is an array)"],
  ["RFC 8693, not applicable", { token_type: "N_A" }, "a token of another kind"],
  ["a bound token", { token_type: "DPoP" }, "a sender-constrained token (token_type is \"DPoP\")"]
]

const setUp = Effect.gen(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make()
  return { issuer, any: { audience: [] } }
})

const detailOf = (verify: Verify, token: string) => Effect.map(Effect.flip(verify(token)), ({ detail }) => detail)

describe("the kind of a token", () => {
  it.effect("accepts access tokens, also with the nonce of the login as some providers repeat it", () =>
    withProviders(Effect.gen(function*() {
      const { any, issuer } = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer, any))
      for (const [name, claims] of access) {
        const identity = yield* verify(yield* issuer.sign({ claims }))
        assert.strictEqual(identity.subject, claims["sub"] ?? "user-1", name)
      }
    })))

  it.effect("JOSE-30 rejects tokens of other kinds by what they say, and logs their kind", () =>
    withProviders(Effect.gen(function*() {
      const { any, issuer } = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer, any))
      for (const [name, claims, called] of others) {
        const token = yield* issuer.sign({ claims })
        yield* assertRejected(verify, token, "ValidationFailed")
        assert.include(yield* detailOf(verify, token), called, name)
      }
    })))

  it.effect("names the kind rather than the audience or the expiry", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer))
      const ending = { aud: client, exp: start - 3600 }
      const idToken = yield* issuer.sign({ claims: { ...ending, typ: "ID" } })
      assert.include(yield* detailOf(verify, idToken), "an ID token")
      yield* assertRejected(verify, yield* issuer.sign({ claims: { ...ending, typ: "Bearer" } }), "Expired")
      yield* assertRejected(verify, yield* issuer.sign({ claims: { aud: client, typ: "Bearer" } }), "InvalidAudience")
    })))

  it.effect("trusts at+jwt in the header over a nonce, but not over a claim that names another kind", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp
      const verify = yield* verifierOf(jwtProvider(issuer))
      const header = { typ: "at+jwt" }
      yield* assertAccepted(verify, yield* issuer.sign({ header, claims: { nonce, at_hash: "h" } }))
      yield* assertRejected(verify, yield* issuer.sign({ header, claims: { typ: "Refresh" } }), "ValidationFailed")
      const presentation = yield* issuer.sign({ header: { typ: "vp+jwt" } })
      assert.include(
        yield* detailOf(verify, presentation),
        "a verifiable presentation (the header's typ is \"vp+jwt\")"
      )
      const strict = yield* verifierOf(jwtProvider(issuer, { requireAccessTokenType: true }))
      const detail = yield* detailOf(strict, yield* issuer.sign())
      assert.include(detail, "typ is \"jwt\", but MCP_REQUIRE_AT_JWT requires \"at+jwt\"")
    })))

  it.effect("applies to introspection responses too: active says nothing about the kind", () =>
    withProviders(Effect.gen(function*() {
      const { any, issuer } = yield* setUp
      const verify = yield* verifierOf(introspectionProvider(issuer, any))
      for (const [name, claims, called] of others) {
        // The issuer's response has its own scope, type and client.
        const response = { client_id: undefined, scope: undefined, token_type: undefined, ...claims }
        const token = yield* issuer.issueOpaque({ claims: response })
        yield* assertRejected(verify, token, "ValidationFailed")
        assert.include(yield* detailOf(verify, token), called, name)
      }
      for (const [, claims] of access) yield* assertAccepted(verify, yield* issuer.issueOpaque({ claims }))
    })))

  it.effect("sends no provider a JWT that states it is not an access token, regardless of its signature", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp
      const response = Misbehaviour.Respond({
        status: 200,
        body: "{\"active\":true,\"sub\":\"user-1\",\"scope\":\"mcp\"}"
      })
      const subjects = [
        ["/oauth2/introspection", introspectionProvider(issuer, { audience: [] })],
        ["/oauth/userinfo", userinfoProvider(issuer)]
      ] as const
      // Keycloak signs refresh tokens for itself.
      const signed = { key: hmacSigner("0".repeat(64), undefined, "512") }
      for (const [path, provider] of subjects) {
        const verify = yield* verifierOf(provider)
        yield* issuer.misbehave(path, response, Infinity)
        const before = yield* issuer.hits(path)
        const hostile = [{ typ: "Refresh" }, { typ: "Offline" }, { typ: "ID" }, { token_use: "id" }, {
          events: logoutEvent
        }]
        for (const claims of hostile) {
          yield* assertRejected(verify, yield* issuer.sign({ claims }), "ValidationFailed")
          yield* assertRejected(
            verify,
            yield* issuer.sign({ ...signed, header: { alg: "HS512" }, claims }),
            "ValidationFailed"
          )
        }
        yield* assertRejected(verify, yield* issuer.sign({ header: { typ: "logout+jwt" } }), "ValidationFailed")
        assert.strictEqual(yield* issuer.hits(path), before)
        // The provider's own types are its affair, and so is what only looks like a JWT.
        yield* assertAccepted(verify, yield* issuer.sign({ header: { typ: "application/okta-internal-at+jwt" } }))
        yield* assertAccepted(verify, yield* issuer.sign({ claims: { typ: "Bearer", nonce } }))
        yield* assertAccepted(verify, "a.b.c")
      }
    })))

  it.effect("rejects a userinfo response about a token of another kind, but not one with a person's claims", () =>
    withProviders(Effect.gen(function*() {
      const { issuer } = yield* setUp
      const verify = yield* verifierOf(userinfoProvider(issuer))
      const says = (claims: Claims) =>
        issuer.misbehave(
          "/oauth/userinfo",
          Misbehaviour.Respond({ status: 200, body: JSON.stringify({ sub: "ada", ...claims }) })
        )
      for (const claims of [{ token_use: "refresh" }, { typ: "ID" }, { token_type: "refresh_token" }]) {
        yield* says(claims)
        yield* assertRejected(verify, `opaque-${JSON.stringify(claims)}`, "ValidationFailed")
      }
      yield* says({ typ: "employee", type: "person", email: null, token_use: "access" })
      assert.strictEqual((yield* verify("opaque")).subject, "ada")
    })))
})

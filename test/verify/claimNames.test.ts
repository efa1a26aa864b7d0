/** Subjects, clients and scopes under the names that a provider gives them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { assertRejected, start, verifierOf, withProviders } from "./support.ts"

type Claims = Readonly<Record<string, unknown>>
type Rules = Pick<JwtProvider, "subjectClaims" | "clientClaims" | "scopeClaims" | "allowedClients" | "trustEmail">

/** The claims of a token, and the members of the identity that they lead to, or the reason of a rejection. */
type Case = readonly [claims: Claims, expected: Partial<Identity> | InvalidTokenReason]

/** Verifies claims as those of a JWT and as an introspection response. */
const verifyBoth = Effect.fnUntraced(function*(rules: Partial<Rules>, cases: ReadonlyArray<Case>) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make()
  const jwt = yield* verifierOf(jwtProvider(issuer, rules))
  const introspection = yield* verifierOf(introspectionProvider(issuer, rules))
  for (const [claims, expected] of cases) {
    const response = { client_id: undefined, scope: undefined, token_type: undefined, ...claims }
    const tokens = [
      [jwt, yield* issuer.sign({ claims })],
      [introspection, yield* issuer.issueOpaque({ claims: response })]
    ] as const
    for (const [verify, token] of tokens) {
      if (typeof expected === "string") {
        yield* assertRejected(verify, token, expected)
      } else {
        const { identity } = yield* Effect.map(verify(token), (identity) => ({ identity }))
        assert.deepInclude(identity, expected, JSON.stringify(claims))
      }
    }
  }
})

describe("subject claims", () => {
  it.effect("name the caller: the first that is present counts", () =>
    withProviders(verifyBoth({ subjectClaims: ["oid", "user.id", "sub"] }, [
      [{ oid: "object-1", sub: "pairwise" }, { subject: "object-1", principal: "user" }],
      [{ user: { id: "u-7" }, sub: "pairwise" }, { subject: "u-7" }],
      [{ "user.id": "dotted", user: { id: "u-7" } }, { subject: "dotted" }],
      [{ user: { id: 42 }, sub: "pairwise" }, { subject: "42" }],
      [{ oid: null, sub: "pairwise" }, { subject: "pairwise" }],
      // A claim that is present and unusable is not passed over: another caller might be meant by the next one.
      [{ oid: "", sub: "pairwise" }, "MissingClaim"],
      [{ oid: ["object-1"], sub: "pairwise" }, "ValidationFailed"],
      [{ oid: { id: 1 }, sub: "pairwise" }, "ValidationFailed"],
      [{ oid: "x".repeat(1025), sub: "pairwise" }, "ValidationFailed"],
      [{ oid: 1.5, sub: "pairwise" }, "ValidationFailed"],
      [{ oid: 2 ** 60, sub: "pairwise" }, "ValidationFailed"],
      [{ oid: true, sub: "pairwise" }, "ValidationFailed"]
    ])))

  it.effect("are not replaced by the client where the token is a user's", () =>
    withProviders(verifyBoth({ subjectClaims: ["oid"] }, [
      [{ sub: undefined, client_id: "robot" }, { subject: "robot", principal: "client" }],
      [{ sub: "robot", client_id: "robot" }, { subject: "robot", principal: "client" }],
      // A person, whose token lacks the configured claim.
      [{ sub: "pairwise", client_id: "desktop" }, "MissingClaim"],
      [{ sub: undefined, client_id: "desktop", sid: "session" }, "MissingClaim"],
      [{ sub: undefined }, "MissingClaim"]
    ])))

  it.effect("left out, mean sub, which is a string", () =>
    withProviders(verifyBoth({}, [
      [{ sub: "user-1", oid: "object-1" }, { subject: "user-1" }],
      [{ sub: 7 }, "ValidationFailed"]
    ])))

  it.effect("do not let anyone in under an e-mail address that is not verified", () =>
    withProviders(verifyBoth({ subjectClaims: ["email"] }, [
      [{ email: "ann@example.com", email_verified: true }, { subject: "ann@example.com" }],
      [{ email: "ann@example.com", email_verified: "true" }, { subject: "ann@example.com" }],
      [{ email: "ann@example.com" }, "ValidationFailed"],
      [{ email: "ann@example.com", email_verified: false }, "ValidationFailed"]
    ])))

  it.effect("accept an address without email_verified where the operator vouches for addresses", () =>
    withProviders(verifyBoth({ subjectClaims: ["email"], trustEmail: true }, [
      [{ email: "ann@example.com" }, { subject: "ann@example.com" }],
      [{ email: "ann@example.com", email_verified: false }, "ValidationFailed"]
    ])))

  it.effect("name the user of a userinfo response", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const verify = yield* verifierOf(userinfoProvider(issuer, { subjectClaims: ["id"] }))
      const accepted = yield* verify(yield* issuer.issueOpaque({ claims: { id: 583231, sub: "other" } }))
      assert.strictEqual(accepted.subject, "583231")
      yield* assertRejected(verify, yield* issuer.issueOpaque({ claims: { sub: "other" } }), "MissingClaim")
    })))
})

describe("client claims", () => {
  it.effect("name the client, and are what allowed clients are compared with", () =>
    withProviders(verifyBoth({ clientClaims: ["app.uid", "cid"], allowedClients: ["desktop"] }, [
      [{ app: { uid: "desktop" } }, { clientId: "desktop" }],
      [{ cid: "desktop" }, { clientId: "desktop" }],
      [{ app: { uid: "desktop" }, cid: "desktop" }, { clientId: "desktop" }],
      // Other claims name no client here.
      [{ app: { uid: "desktop" }, client_id: "resource-server", azp: "resource-server" }, { clientId: "desktop" }],
      [{ client_id: "desktop", azp: "desktop" }, "MissingClaim"],
      [{ cid: "other" }, "InvalidAudience"],
      [{ app: { uid: "desktop" }, cid: "other" }, "InvalidAudience"],
      [{ app: { uid: ["desktop"] } }, "InvalidAudience"],
      [{ app: "desktop" }, "MissingClaim"]
    ])))

  it.effect("take the place of a missing aud", () =>
    withProviders(verifyBoth({ clientClaims: ["cid"], allowedClients: ["desktop"] }, [
      [{ aud: undefined, cid: "desktop" }, { clientId: "desktop" }],
      [{ aud: undefined, client_id: "desktop" }, "MissingClaim"],
      [{ aud: undefined, cid: "other" }, "MissingClaim"],
      [{ aud: "another-api", cid: "desktop" }, "InvalidAudience"]
    ])))
})

describe("scope claims", () => {
  it.effect("are read from the first that is present, as words or as an array", () =>
    withProviders(verifyBoth({ scopeClaims: ["permissions", "realm_access.roles", "scope"] }, [
      [{ permissions: ["read", "write"], scope: "other" }, { scopes: ["read", "write"] }],
      [{ permissions: [], scope: "other" }, { scopes: [] }],
      [{ realm_access: { roles: ["admin"] }, scope: "other" }, { scopes: ["admin"] }],
      [{ scope: "read write" }, { scopes: ["read", "write"] }],
      [{ scp: ["read"] }, { scopes: [] }],
      // One word stays one scope.
      [{ permissions: ["read write", "ok"] }, { scopes: ["ok"] }],
      [{ permissions: { read: true } }, "ValidationFailed"],
      [{ permissions: [1] }, "ValidationFailed"]
    ])))
})

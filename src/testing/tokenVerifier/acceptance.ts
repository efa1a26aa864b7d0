/** Tokens from a conforming issuer are accepted, and their identity is reported. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Identity } from "../../identity/Identity.ts"
import { nowSeconds } from "../../issuer/nowSeconds.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { either, furtherClaims, inOrder, int, oneOf, order, scopes, subject, text } from "./arbitrary.ts"
import { claimsOf, headerOf, jsonText, membersOf } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { accepted, decided, rejected } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Claims that become a part of the identity, in addition to the subject: each one present or absent. */
const identityClaims = Arbitrary.map(
  Arbitrary.all({
    claims: Arbitrary.all({
      scope: Arbitrary.map(scopes, (words) => words.join(" ")),
      scp: scopes,
      client_id: text,
      azp: text,
      email: either<unknown>(text, oneOf([7, null, ["a@b.example"]])),
      name: text,
      // These claims name neither the caller nor scopes, unless the verifier is configured to use them.
      roles: scopes,
      permissions: scopes,
      groups: scopes,
      realm_access: Arbitrary.all({ roles: scopes }),
      preferred_username: text,
      upn: text,
      unique_name: text,
      user_id: text,
      username: text
    }),
    left: Arbitrary.array(oneOf(["scope", "scp", "client_id", "azp", "email", "name", "roles"]), { maxLength: 6 })
  }),
  ({ claims, left }) =>
    Object.fromEntries(Object.entries<unknown>(claims).filter(([name]) => !left.some((other) => other === name)))
)

/** Returns the identity that claims of the suite must result in. */
const expected = (claims: Readonly<Record<string, unknown>>) => ({
  subject: claims["sub"],
  issuer: claims["iss"],
  scopes: typeof claims["scope"] === "string"
    ? claims["scope"].split(" ").filter((word) => word !== "")
    : claims["scp"] ?? [],
  clientId: claims["client_id"] ?? claims["azp"],
  email: typeof claims["email"] === "string" ? claims["email"] : undefined,
  name: claims["name"],
  expiresAt: claims["exp"],
  claims
})

const identityOf = (
  { claims, clientId, email, expiresAt, issuer, name, scopes, subject }: Identity
) => ({ subject, issuer, scopes, clientId, email, name, expiresAt, claims })

const fromPrototypes: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-06",
    title: "MUST NOT read claims from an object's prototype",
    source: "RFC 7519, section 4; CWE-1321",
    runs: 10
  },
  { admin: text },
  ({ admin }) =>
    Effect.forEach(
      ["__proto__", "constructor", "prototype"],
      Effect.fnUntraced(function*(name) {
        const { sign, verify } = yield* VerifierUnderTest
        const claims = membersOf(claimsOf(yield* sign()))
        const smuggled = { sub: admin, scope: "admin", client_id: admin, email: admin, prototype: { admin } }
        const more = [name, JSON.stringify(smuggled)] as const
        const payloadJson = jsonText([...claims, more])
        const identity = yield* accepted(verify, yield* sign({ payloadJson }))
        assert.deepStrictEqual(identityOf(identity), expected(JSON.parse(payloadJson)))
        const withoutSubject = jsonText([...claims.filter(([name]) => name !== "sub"), more])
        const verdict = yield* decided(verify, yield* sign({ payloadJson: withoutSubject }))
        if ("subject" in verdict) {
          assert.notStrictEqual(verdict.subject, admin)
        }
        assert.notProperty({}, "sub")
      }),
      { discard: true }
    )
)

/** Access tokens with the nonce of a login: Keycloak's, Cognito's, authentik's, Casdoor's. */
const withNonce: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { typ: "Bearer", nonce: "n-0S6_WzA2Mj" },
  { token_use: "access", nonce: "n-0S6_WzA2Mj" },
  { scope: "openid mcp:read", nonce: "n-0S6_WzA2Mj", auth_time: 1, azp: "editor" },
  { scp: ["mcp:read"], nonce: "n-0S6_WzA2Mj" },
  { tokenType: "access-token", scope: "openid", nonce: "" }
]

/** What many serializers write for claims without a value. */
const nothing = {
  nbf: null,
  iat: null,
  scope: null,
  azp: null,
  cnf: null,
  nonce: null,
  at_hash: null,
  typ: null,
  token_use: null,
  token_type: null,
  events: null,
  email: null,
  name: null
}

/** The requirements on valid tokens. */
export const acceptance = (
  { algorithms, checksAudience, skew }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-01",
      title: "MUST accept what the issuer has signed, with further claims and in any order",
      source: "RFC 7519, section 4",
      runs: 50
    },
    { algorithm: oneOf(algorithms), further: furtherClaims, headerOrder: order, claimsOrder: order },
    ({ algorithm, claimsOrder, further, headerOrder }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const plain = yield* sign({ key: algorithm })
        const members = membersOf(claimsOf(plain))
        const payloadJson = jsonText(inOrder([...members, ...further], claimsOrder))
        const headerJson = jsonText(inOrder(membersOf(headerOf(plain)), headerOrder))
        const identity = yield* accepted(verify, yield* sign({ key: algorithm, headerJson, payloadJson }))
        assert.deepStrictEqual(identity.claims, JSON.parse(payloadJson))
      })
  ),
  ...algorithms.map((algorithm) =>
    requirement<{ sub: string }, never, VerifierUnderTest>(
      {
        id: `JWT-02-${algorithm}`,
        title: `MUST accept signatures by ${algorithm}, one of its algorithms`,
        source: "RFC 7518, section 3.1",
        runs: 5
      },
      { sub: text },
      ({ sub }) =>
        Effect.gen(function*() {
          const { sign, verify } = yield* VerifierUnderTest
          const identity = yield* accepted(verify, yield* sign({ key: algorithm, claims: { sub } }))
          assert.strictEqual(identity.subject, sub)
        })
    )
  ),
  ...(checksAudience
    ? [requirement<{ others: Array<string>; at: number }, never, VerifierUnderTest>(
      {
        id: "JWT-03",
        title: "MUST accept its audience as a string, and in an array among others",
        source: "RFC 7519, section 4.1.3"
      },
      { others: Arbitrary.array(text, { maxLength: 4 }), at: int(0, 4) },
      ({ at, others }) =>
        Effect.gen(function*() {
          const { settings: { audience }, sign, verify } = yield* VerifierUnderTest
          const aud = [...others.slice(0, at), audience, ...others.slice(at)]
          yield* accepted(verify, yield* sign({ claims: { aud } }))
          yield* accepted(verify, yield* sign({ claims: { aud: audience } }))
        })
    )]
    : []),
  requirement(
    {
      id: "JWT-04",
      title: "MUST accept a token from its nbf to its exp, with the configured clock tolerance",
      source: "RFC 7519, sections 4.1.4 to 4.1.6",
      runs: 50
    },
    {
      // Half seconds: NumericDate permits them (RFC 7519, section 2).
      end: either(int(1 - 2 * skew, 4 - 2 * skew), int(1 - 2 * skew, 172_800)),
      begin: either(int(skew - 3, skew), int(-1_000_000, skew)),
      issued: either(int(skew - 3, skew), int(-1_000_000, skew))
    },
    ({ begin, end, issued }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const now = yield* nowSeconds
        const ending = { iat: now - skew - 600, exp: now + end / 2 }
        const { expiresAt } = yield* accepted(verify, yield* sign({ claims: ending }))
        assert.strictEqual(expiresAt, ending.exp)
        yield* accepted(verify, yield* sign({ claims: { nbf: now + begin, iat: now + issued } }))
      })
  ),
  requirement(
    {
      id: "JWT-05",
      title: "MUST report exactly what the token says: subject, issuer, scopes, client, email, name, expiry",
      source: "RFC 9068, section 2.2",
      runs: 50
    },
    { sub: subject, claims: identityClaims },
    ({ claims, sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const token = yield* sign({ claims: { sub, ...claims } })
        assert.deepStrictEqual(identityOf(yield* accepted(verify, token)), expected(claimsOf(token)))
      })
  ),
  fromPrototypes,
  requirement(
    {
      id: "JWT-07",
      title: "MUST accept access tokens that repeat the nonce of the login if their kind or scopes identify them",
      source: "OpenID Connect Core 1.0, section 2; RFC 9068, section 2.2",
      runs: 5
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const claims of withNonce) {
          const identity = yield* accepted(verify, yield* sign({ claims: { sub, ...claims } }))
          assert.strictEqual(identity.subject, sub)
        }
      })
  ),
  requirement(
    {
      id: "JWT-08",
      title: "MUST treat a null claim as absent",
      source: "RFC 7519, section 4; RFC 8259, section 3",
      runs: 5
    },
    { sub: text, words: Arbitrary.array(oneOf(["mcp:read", "mcp:write"]), { maxLength: 2 }) },
    ({ sub, words }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const scp = [...new Set(words)]
        const claims = { ...nothing, sub, scp, client_id: "editor" }
        const identity = yield* accepted(verify, yield* sign({ claims }))
        assert.deepStrictEqual(
          [identity.subject, identity.clientId, identity.scopes, identity.email, identity.name],
          [sub, "editor", scp, undefined, undefined]
        )
        const { clientId } = yield* accepted(
          verify,
          yield* sign({ claims: { ...claims, client_id: null, azp: "cli" } })
        )
        assert.strictEqual(clientId, "cli")
        yield* rejected(verify, yield* sign({ claims: { ...claims, exp: null } }))
      })
  ),
  requirement(
    {
      id: "JWT-09",
      title: "MUST accept tokens of several kilobytes, as providers issue them for members of many groups",
      source: "RFC 6750, section 2.1; Microsoft identity platform, Access token claims",
      runs: 3
    },
    { sub: text, bytes: either(int(2_000, 2_500), int(3_000, 5_000)) },
    ({ bytes, sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const groups = Array.from({ length: Math.ceil(bytes / 39) }, (_, index) => `${index}`.padStart(36, "0"))
        const identity = yield* accepted(verify, yield* sign({ claims: { sub, groups } }))
        assert.strictEqual(identity.subject, sub)
      })
  )
]

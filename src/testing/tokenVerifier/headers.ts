/** The header describes the signature. It neither brings a key nor changes the rules. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import type { SignOptions } from "../../issuer/TestIssuerOptions.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { oneOf, text } from "./arbitrary.ts"
import { claimsOf, headerOf, jsonText, membersOf } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { selfSigned } from "./selfSigned.ts"
import { accepted, rejected, rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

const hostileKeyIds: ReadonlyArray<unknown> = [
  "../../../../dev/null",
  "/etc/passwd",
  "' OR '1'='1",
  "x' UNION SELECT 'secret",
  "$(id)",
  "https://evil.example/jwks",
  "__proto__",
  "constructor",
  "toString",
  "0",
  "",
  " ",
  "\u0000",
  "\r\nSet-Cookie: a=b",
  "\u001b[2J",
  "*",
  ".*",
  "x".repeat(20_000),
  0,
  -1,
  true,
  [],
  {},
  ["0"],
  { kid: "0" }
]

const extensions: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { crit: ["x-must-understand"], "x-must-understand": true },
  { crit: ["exp"], exp: 1 },
  { crit: ["alg"] },
  { crit: ["b64"], b64: false },
  { crit: ["b64"], b64: true },
  { b64: false },
  { crit: [] },
  { crit: "x-must-understand", "x-must-understand": true },
  { crit: {} },
  { crit: null },
  { crit: ["x-must-understand"] },
  { crit: ["__proto__"] }
]

const noScopes = { scope: undefined, scp: undefined }

const logout = { "http://schemas.openid.net/event/backchannel-logout": {} }

const otherKinds: ReadonlyArray<SignOptions> = [
  { header: { typ: "logout+jwt" } },
  { header: { typ: "vp+jwt" } },
  { header: { typ: "vc+jwt" } },
  { header: { typ: "secevent+jwt" } },
  { header: { typ: "application/dpop+jwt" } },
  { header: { typ: "oauth-authz-req+jwt" } },
  { header: { typ: "entity-statement+jwt" } },
  { header: { cty: "JWT" } },
  { header: { typ: "JWT" }, claims: { nonce: "n-0S6_WzA2Mj", ...noScopes } },
  { header: { typ: "JWT" }, claims: { at_hash: "MTIzNDU2Nzg5MDEyMzQ1Ng" } },
  { header: { typ: "JWT" }, claims: { c_hash: "MTIzNDU2Nzg5MDEyMzQ1Ng", scope: "openid" } },
  // What a token states about itself outweighs its scopes and its appearance.
  { claims: { typ: "ID", scope: "openid" } },
  { claims: { typ: "Refresh", scope: "openid" } },
  { claims: { typ: "Offline", exp: undefined } },
  { claims: { typ: "Logout", sid: "s-1", events: logout } },
  { claims: { token_use: "id" } },
  { claims: { token_use: "refresh" } },
  { claims: { token_use: "refresh_token", scope: "openid" } },
  { claims: { token_type: "refresh_token" } },
  { claims: { sid: "s-1", events: logout } },
  { claims: { events: { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} } } },
  { claims: { vp: { type: ["VerifiablePresentation"] } } },
  { claims: { vc: { type: ["VerifiableCredential"] } } },
  { claims: { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } } },
  { claims: { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } } }
]

/** The members on which the verification depends. */
const decisive = { header: ["alg", "kid"], payload: ["sub", "iss", "exp", "aud"] }

const escape = (name: string): string => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`

/**
 * An object with one member twice: repeated before or after the valid one, with its name spelled in one way or another.
 */
const twice = (
  object: Readonly<Record<string, unknown>>,
  names: ReadonlyArray<string>,
  values: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const plain = jsonText(membersOf(object))
  return names.flatMap((name) =>
    [name, escape(name)].flatMap((spelled) =>
      [...values, JSON.stringify(object[name])].flatMap((value) => [
        `{"${spelled}":${value},${plain.slice(1)}`,
        `${plain.slice(0, -1)},"${spelled}":${value}}`
      ])
    )
  )
}

/** The requirements on headers, and on duplicate members. */
export const headers = (
  { algorithms, fetchesKeys }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-30",
      title: "MUST NOT take a key from the token, nor fetch one from a URL in the token",
      source: "RFC 8725, section 3.10; CVE-2026-27962",
      runs: 4
    },
    { algorithm: oneOf(algorithms), sub: text },
    ({ algorithm, sub }) =>
      Effect.gen(function*() {
        const { issuer, sign, stranger, verify } = yield* VerifierUnderTest
        const key = yield* stranger.key(algorithm)
        const certified = algorithm === "ES256" ? yield* selfSigned : { ...key, x5c: ["AAAA"] }
        const jwk = { ...key.publicJwk, kid: "attacker" }
        const path = "/attacker/keys"
        const url = new URL(path, issuer.issuer).href
        const brought = [
          { key, header: { jwk } },
          { key, header: { jwks: { keys: [jwk] } } },
          { key, header: { jku: url } },
          { key, header: { x5u: url } },
          { key: certified, header: { x5c: certified.x5c } }
        ]
        const good = yield* sign({ key: algorithm, claims: { sub } })
        const { kid: own } = yield* issuer.key(algorithm)
        const served = Misbehaviour.Respond({ status: 200, body: JSON.stringify({ keys: [jwk] }) })
        yield* issuer.misbehave(path, served, Infinity)
        for (const { header, key } of brought) {
          for (const kid of [own, undefined, "attacker"]) {
            yield* rejectedAlongside(
              verify,
              good,
              yield* sign({ key, header: { alg: algorithm, kid, ...header }, claims: { sub } })
            )
          }
        }
        assert.strictEqual(yield* issuer.hits(path), 0, "a key was fetched from where a token said")
      })
  ),
  requirement(
    {
      id: "JWT-31",
      title: "MUST reject a key id that the issuer does not have, in any form",
      source: "RFC 7515, section 4.1.4; RFC 8725, section 3.10",
      runs: 4
    },
    { algorithm: oneOf(algorithms), made: Arbitrary.array(text, { maxLength: 10 }) },
    ({ algorithm, made }) =>
      Effect.gen(function*() {
        const { issuer, sign, stranger, verify } = yield* VerifierUnderTest
        const good = yield* sign({ key: algorithm })
        const key = yield* stranger.key(algorithm)
        const { kid: own } = yield* issuer.key(algorithm)
        const similar = [own.toLowerCase(), own.toUpperCase(), `${own}x`, ` ${own}`, own.slice(0, -1), [own]]
        for (const kid of [...hostileKeyIds, ...similar.filter((kid) => kid !== own), ...made]) {
          yield* rejectedAlongside(verify, good, yield* sign({ key, header: { kid } }))
          // With one configured key, there is nothing that a key id could select.
          if (fetchesKeys) yield* rejectedAlongside(verify, good, yield* sign({ key: algorithm, header: { kid } }))
        }
      })
  ),
  requirement(
    {
      id: "JWT-32",
      title: "MUST reject unknown critical parameters and unencoded payloads",
      source: "RFC 7515, section 4.1.11; RFC 7797; CVE-2026-35042",
      runs: 4
    },
    { algorithm: oneOf(algorithms), sub: text },
    ({ algorithm, sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const token = { key: algorithm, claims: { sub } }
        const good = yield* sign(token)
        for (const header of extensions) yield* rejectedAlongside(verify, good, yield* sign({ ...token, header }))
      })
  ),
  requirement(
    {
      id: "JWT-33",
      title: "MUST reject JWTs of other kinds: ID, refresh and logout tokens, presentations, sender-constrained tokens",
      source: "RFC 8725, sections 3.11 and 3.12; RFC 9449, section 7.1",
      runs: 4
    },
    { algorithm: oneOf(algorithms), sub: text },
    ({ algorithm, sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign({ key: algorithm, claims: { sub } })
        for (const { claims, header } of otherKinds) {
          yield* rejectedAlongside(
            verify,
            good,
            yield* sign({ key: algorithm, header: header ?? {}, claims: { sub, ...claims } })
          )
        }
      })
  ),
  requirement(
    {
      id: "JWT-34",
      title: "MUST reject a header or payload with a duplicate member",
      source: "RFC 7515, section 4; RFC 7519, section 4",
      runs: 4
    },
    { other: Arbitrary.schema(Schema.Json) },
    ({ other }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign()
        const values = [JSON.stringify(other), "\"none\"", "4000000000"]
        for (const headerJson of twice(headerOf(good), decisive.header, values)) {
          yield* rejected(verify, yield* sign({ headerJson }))
        }
        for (const payloadJson of twice(claimsOf(good), decisive.payload, values)) {
          yield* rejected(verify, yield* sign({ payloadJson }))
        }
        yield* accepted(verify, good)
      })
  )
]

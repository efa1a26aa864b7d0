/** Verifiers of JWTs that do one step as badly as others have done it. */
import type * as Layer from "effect/Layer"
import { createHmac, createPublicKey, type KeyObject, verify as verifyBytes, X509Certificate } from "node:crypto"
import type { UnusablePublicKey } from "../../src/keys/publicKey.ts"
import { own } from "../../src/remote/JsonObject.ts"
import type { VerifierNeeds } from "../../src/testing/TokenVerifierTest.ts"
import type { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { handMade, jwkToKey, type Known, type Parsed, type Steps, verifyEs256 } from "./handMadeVerifier.ts"

export type Verifier = Layer.Layer<TokenVerifier, UnusablePublicKey, VerifierNeeds>

/** A defect, the requirements that must notice it, and a verifier that has it. */
export type Broken = readonly [defect: string, violated: ReadonlyArray<string>, subject: Verifier]

const text = (value: unknown): string => typeof value === "string" ? value : ""

const parts = (value: unknown): ReadonlyArray<string> => [value].flat().map(text)

const lastWins: Steps["parse"] = (json) => JSON.parse(json)

/** No signature at all, if `alg` is `none`. */
const unsigned = (isNone: (alg: string) => boolean): Partial<Steps> => ({
  algorithm: ({ alg }) => alg === "ES256" || isNone(text(alg)),
  header: () => true,
  signature: (parsed, key) => isNone(text(own(parsed.header, "alg"))) || (key !== undefined && verifyEs256(parsed, key))
})

/** The public key as the secret of an HMAC. */
const confused = (secretOf: (key: KeyObject) => string): Partial<Steps> => ({
  algorithm: ({ alg }) => alg === "ES256" || alg === "HS256",
  signature: (parsed, key) => {
    if (key === undefined) return false
    if (own(parsed.header, "alg") === "ES256") return verifyEs256(parsed, key)
    return createHmac("sha256", secretOf(key)).update(parsed.input).digest().equals(parsed.signature)
  }
})

const pemOf = (key: KeyObject): string => key.export({ format: "pem", type: "spki" }).toString()

const keyOf = (header: Parsed["header"], { keys }: Known): KeyObject | undefined => {
  const jwk = keys.find(({ kid }) => kid === own(header, "kid"))
  return jwk === undefined ? undefined : jwkToKey(jwk)
}

/** `alg` of the header, regardless of the list and of the key. */
const anyAlgorithm = (parsed: Parsed, key: KeyObject | undefined): boolean => {
  if (key === undefined) return false
  const hash = key.asymmetricKeyType === "ed25519" ? null : `sha${text(own(parsed.header, "alg")).slice(2)}`
  return verifyBytes(hash, Buffer.from(parsed.input), { key, dsaEncoding: "ieee-p1363" }, parsed.signature)
}

export const brokenSteps: ReadonlyArray<Broken> = [
  [
    "RFC 7519: rejects claims that it does not know",
    ["JWT-01"],
    handMade({
      kind: ({ claims }) => Object.keys(claims).every((name) => ["iss", "aud", "sub", "iat", "exp"].includes(name))
    })
  ],
  [
    "RFC 7518: rejects an algorithm that it lists",
    ["JWT-02-ES256"],
    handMade({ algorithm: ({ alg }) => alg === "RS256" })
  ],
  [
    "CLM-14: takes the email for the subject",
    ["JWT-05"],
    handMade({
      subject: (claims) => own(claims, "email") ?? own(claims, "sub")
    })
  ],
  [
    "JOSE-27: descends into claims",
    ["JWT-16"],
    handMade({
      throws: true,
      parse: (json) => JSON.parse(JSON.stringify(JSON.parse(json)))
    })
  ],
  ["CVE-2022-23540: believes alg none", ["JWT-20"], handMade(unsigned((alg) => alg === "none"))],
  [
    "JOSE-01: believes alg none in letters that its list of bad ones lacks",
    ["JWT-20"],
    handMade(unsigned((alg) => !["none", "None", "NONE"].includes(alg) && alg.toLowerCase() === "none"))
  ],
  ["CVE-2023-48223: takes a public key for an HMAC secret", ["JWT-21"], handMade(confused(pemOf))],
  [
    "CVE-2026-34950: knows a public key only when nothing stands before it",
    ["JWT-21"],
    handMade(confused((key) => ` ${pemOf(key)}`))
  ],
  [
    "JOSE-02: takes the JSON of a key for an HMAC secret",
    ["JWT-21"],
    handMade(confused((key) => text(key.export({ format: "jwk" }).x)))
  ],
  [
    "CVE-2026-22817: lets the header choose the algorithm",
    ["JWT-23"],
    handMade({ algorithm: () => true, key: keyOf, signature: anyAlgorithm })
  ],
  ["JOSE-31: does not verify the signature", ["JWT-10", "JWT-11", "JWT-22"], handMade({ signature: () => true })],
  [
    "CVE-2022-21449: psychic signatures",
    ["JWT-24"],
    handMade({
      signature: (parsed, key) =>
        key !== undefined && (verifyEs256(parsed, key) || parsed.signature.every((byte) => byte === 0))
    })
  ],
  [
    "JOSE-10: takes DER signatures as well",
    ["JWT-25"],
    handMade({
      signature: (parsed, key) =>
        key !== undefined &&
        (verifyEs256(parsed, key) || verifyBytes("sha256", Buffer.from(parsed.input), key, parsed.signature))
    })
  ],
  [
    "JOSE-16: falls back to any key when the key id is unknown",
    ["JWT-31"],
    handMade({
      header: () => true,
      key: (header, known) => keyOf(header, known) ?? known.keys.map(jwkToKey).at(0)
    })
  ],
  [
    "CVE-2026-27962: takes the key from the token",
    ["JWT-30"],
    handMade({
      key: (header, known) => {
        const jwk = own(header, "jwk")
        return typeof jwk === "object" && jwk !== null ? jwkToKey({ ...jwk }) : keyOf(header, known)
      }
    })
  ],
  [
    "JOSE-15: takes the certificate from the token",
    ["JWT-30"],
    handMade({
      key: (header, known) => {
        const [certificate] = parts(own(header, "x5c"))
        return certificate === undefined || certificate === ""
          ? keyOf(header, known)
          : createPublicKey(
            new X509Certificate(Buffer.from(certificate, "base64")).publicKey.export({ format: "pem", type: "spki" })
          )
      }
    })
  ],
  ["CVE-2026-35042: ignores crit", ["JWT-32"], handMade({ header: ({ kid }) => typeof kid === "string" })],
  [
    "JOSE-24: reads base64url leniently",
    ["JWT-13"],
    handMade({ decode: (part) => Buffer.from(part, "base64url") })
  ],
  [
    "CVE-2026-29000: reads the first three parts of more",
    ["JWT-14"],
    handMade({ split: (token) => token.split(".", 3) })
  ],
  ["JOSE-25: the last of two members wins", ["JWT-34"], handMade({ parse: lastWins })],
  [
    "CWE-1321: merges claims into an object",
    ["JWT-06"],
    handMade({
      subject: (claims) => Object.assign({}, { ...claims }, own(claims, "__proto__"))["sub"]
    })
  ],
  ["JOSE-26: dies of what is no JSON", ["JWT-15"], handMade({ throws: true, parse: lastWins })],
  ["JOSE-30: takes ID tokens", ["JWT-33"], handMade({ kind: () => true })],
  [
    "RFC 8725: takes every token of a session that has scopes",
    ["JWT-33"],
    handMade({ kind: ({ claims }) => own(claims, "scope") !== undefined || own(claims, "typ") !== "ID" })
  ],
  [
    "takes every token with a nonce for an ID token",
    ["JWT-07"],
    handMade({ kind: ({ claims }) => !Object.hasOwn(claims, "nonce") })
  ],
  [
    "takes null for a value",
    ["JWT-08"],
    handMade({ kind: ({ claims }) => claims["cnf"] === undefined })
  ],
  ["CLM-12: does not check iss", ["JWT-40"], handMade({ issuer: () => true })],
  [
    "CVE-2024-53861: iss needs only be a part",
    ["JWT-40"],
    handMade({ issuer: (iss, { issuer }) => iss !== "" && issuer.includes(text(iss)) })
  ],
  [
    "CLM-12: iss needs only begin well",
    ["JWT-40"],
    handMade({ issuer: (iss, { issuer }) => text(iss).startsWith(issuer) })
  ],
  [
    "CVE-2025-30144: iss may be an array",
    ["JWT-40"],
    handMade({ issuer: (iss, { issuer }) => parts(iss).includes(issuer) })
  ],
  ["CLM-11: does not check aud", ["JWT-41"], handMade({ audience: () => true })],
  [
    "CLM-10: aud needs only contain it",
    ["JWT-41"],
    handMade({ audience: (aud, { audience }) => parts(aud).some((one) => one.includes(audience)) })
  ],
  [
    "CVE-2025-69196: aud may be the origin alone",
    ["JWT-41"],
    handMade({ audience: (aud, { audience }) => parts(aud).some((one) => one !== "" && audience.startsWith(one)) })
  ],
  [
    "CLM-08: a missing aud is any",
    ["JWT-41"],
    handMade({ audience: (aud, { audience }) => aud === undefined || parts(aud).includes(audience) })
  ],
  ["CLM-09: aud may not be an array", ["JWT-03"], handMade({ audience: (aud, { audience }) => aud === audience })],
  [
    "CLM-14: the client stands for every person without a subject",
    ["JWT-44"],
    handMade({ subject: (claims) => own(claims, "sub") ?? own(claims, "client_id") ?? own(claims, "azp") })
  ],
  ["CLM-14: a subject may be anything", ["JWT-42"], handMade({ subject: (claims) => String(own(claims, "sub")) })],
  [
    "CLM-15: splits scopes that are in an array",
    ["JWT-43"],
    handMade({ scopes: (claims) => parts(own(claims, "scope") ?? own(claims, "scp") ?? []).join(" ").split(/\s+/) })
  ],
  ["CLM-01: does not check exp", ["JWT-50"], handMade({ end: () => true })],
  [
    "CLM-01: a missing exp is never",
    ["JWT-51"],
    handMade({ end: (exp, { now }) => exp === undefined || now < Number(exp) })
  ],
  ["CLM-02: exp may be a string", ["JWT-51"], handMade({ end: (exp, { now }) => now < Number(exp) + 60 })],
  [
    "CLM-03: exp may be in milliseconds",
    ["JWT-51"],
    handMade({ end: (exp, { now }) => typeof exp === "number" && now < exp + 60 })
  ],
  [
    "CLM-05: grants the leeway twice",
    ["JWT-50"],
    handMade({ end: (exp, { now }) => typeof exp === "number" && now < exp + 120 })
  ],
  ["CLM-05: grants no leeway", ["JWT-04"], handMade({ end: (exp, { now }) => typeof exp === "number" && now < exp })],
  ["CLM-06: does not check nbf", ["JWT-52", "JWT-54"], handMade({ begin: () => true })],
  ["CLM-07: does not check iat", ["JWT-53"], handMade({ issued: () => true })],
  [
    "GHSA-675f-rq2r-jw82: keeps keys that were withdrawn",
    ["JWT-63"],
    handMade({ replace: (known, fetched) => [...known, ...fetched] })
  ],
  [
    "CLM-15: takes roles for scopes",
    ["JWT-05"],
    handMade({
      scopes: (claims) => parts(own(claims, "scope") ?? own(claims, "roles") ?? []).filter((one) => one !== "")
    })
  ],
  ["JWKS-01: fetches the keys for each unknown key id", ["JWT-74"], handMade({ refetch: () => true })]
]

/** Keys that a token names by the certificate: `x5t` and `x5t#S256` (RFC 7515, sections 4.1.7 and 4.1.8). */
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"
import { base64url } from "jose"
import { type JsonObject, own } from "../remote/JsonObject.ts"

export interface NamedCertificate {
  readonly x5t?: string | undefined
  readonly x5tS256?: string | undefined
}

/** The certificate of a key in a set, as far as the key names it. */
export interface CertifiedKey {
  readonly isPrepared: () => boolean
  /** Computes the digests, once. Never fails. */
  readonly prepare: () => Promise<void>
  /** Compares the certificate with the one that a header names. `Unknown` if the prepared key does not name it. */
  readonly compare: (named: NamedCertificate) => "Same" | "Other" | "Unknown"
}

// Long enough for a certificate with its names and a large key.
const maxCertificateLength = 16_384

// Digests in hexadecimal, which some providers encode once more, are 88 characters long.
const maxThumbprintLength = 128

/** Normalizes a thumbprint to base64url without padding. Some providers write plain base64. */
export const thumbprint = (value: unknown): string | undefined =>
  typeof value === "string" && value.length > 0 && value.length <= maxThumbprintLength
    ? value.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
    : undefined

const certificateOf = (jwk: JsonObject): Uint8Array<ArrayBuffer> | undefined => {
  const chain = own(jwk, "x5c")
  const first: unknown = Array.isArray(chain) ? chain[0] : undefined
  if (typeof first !== "string" || first.length > maxCertificateLength) return undefined
  const decoded = Result.getOrUndefined(Base64.decode(first.replace(/\s/g, "")))
  // A copy, because the parameter's type excludes shared memory.
  return decoded === undefined ? undefined : new Uint8Array(decoded)
}

/** Both the spelling of RFC 7515 and that of providers that encode the hexadecimal form. */
const spellings = (digest: Uint8Array): ReadonlyArray<string> => [
  base64url.encode(digest),
  base64url.encode(Hex.encode(digest))
]

const digest = (hash: "SHA-1" | "SHA-256", certificate: Uint8Array<ArrayBuffer>): Promise<ReadonlyArray<string>> =>
  crypto.subtle.digest(hash, certificate).then(
    (digest) => spellings(new Uint8Array(digest)),
    // Without SHA-1 in the engine, the key is treated as one without a certificate.
    () => []
  )

const compare = (named: string | undefined, known: ReadonlyArray<string>): "Same" | "Other" | "Unknown" =>
  named === undefined || known.length === 0 ? "Unknown" : known.includes(named) ? "Same" : "Other"

/**
 * Reads a key's references to its certificate: `x5t`, `x5t#S256` and the first of `x5c` (RFC 7517, sections 4.7 to 4.9).
 */
export const certifiedKey = (jwk: JsonObject): CertifiedKey => {
  const certificate = certificateOf(jwk)
  const declared = (name: string): ReadonlyArray<string> => {
    const value = thumbprint(own(jwk, name))
    return value === undefined ? [] : [value]
  }
  let sha1 = declared("x5t")
  let sha256 = declared("x5t#S256")
  let isPrepared = certificate === undefined
  let preparing: Promise<void> | undefined
  const compute = async () => {
    if (certificate === undefined) return
    const [one, two] = await Promise.all([digest("SHA-1", certificate), digest("SHA-256", certificate)])
    sha1 = [...sha1, ...one]
    sha256 = [...sha256, ...two]
    isPrepared = true
  }
  return {
    isPrepared: () => isPrepared,
    prepare: () => preparing ??= compute(),
    compare: ({ x5t, x5tS256 }) => {
      const results = new Set([compare(x5tS256, sha256), compare(x5t, sha1)])
      return results.has("Other") ? "Other" : results.has("Same") ? "Same" : "Unknown"
    }
  }
}

export const namesCertificate = ({ x5t, x5tS256 }: NamedCertificate): boolean =>
  x5t !== undefined || x5tS256 !== undefined

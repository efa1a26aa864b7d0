/**
 * The policy about signatures: which algorithms are accepted, with which keys. Key import, verification and the
 * reference in `src/keys/README.md` derive from it.
 *
 * Sources: RFC 7518, sections 3.3 to 3.5 and 6.2 to 6.3; RFC 8037, section 2; RFC 8725, sections 3.1 to 3.4.
 */
import { type JwsAlgorithm, jwsAlgorithms } from "../config/GatewaySettings.ts"
import { markdownTable } from "../config/markdownTable.ts"

export type KeyRule =
  | { readonly kty: "RSA" }
  /** `coordinateBytes`: exact length of `x` and `y`. */
  | { readonly kty: "EC"; readonly crv: "P-256" | "P-384" | "P-521"; readonly coordinateBytes: number }
  /** `coordinateBytes`: exact length of `x`. */
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly coordinateBytes: number }

const rsa: KeyRule = { kty: "RSA" }

/** The rule for each algorithm. `none` and HMAC have no rule, so they cannot be allowed by mistake. */
export const keyRules: Readonly<Record<JwsAlgorithm, KeyRule>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: { kty: "EC", crv: "P-256", coordinateBytes: 32 },
  ES384: { kty: "EC", crv: "P-384", coordinateBytes: 48 },
  ES512: { kty: "EC", crv: "P-521", coordinateBytes: 66 },
  EdDSA: { kty: "OKP", crv: "Ed25519", coordinateBytes: 32 }
}

// Algorithms for key management with a public key (RFC 7518, section 4.1). Later ones have the same prefixes.
const encryptionAlgorithms = /^(?:RSA1_5$|RSA-OAEP|ECDH-ES|HPKE)/

/** Returns whether the `alg` of a key is for encryption. Such a key is skipped without an error. */
export const isEncryptionAlgorithm = (alg: unknown): boolean =>
  typeof alg === "string" && encryptionAlgorithms.test(alg)

/** Returns whether a curve is for key agreement, which makes no signatures (RFC 8037, section 3.2). */
export const isAgreementCurve = (crv: unknown): boolean => crv === "X25519" || crv === "X448"

const encryptionOperations = ["encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"]

/** Returns whether `key_ops` contains only operations of an encryption key (RFC 7517, section 4.3). */
export const isForEncryption = (operations: unknown): boolean =>
  Array.isArray(operations) && operations.length > 0 &&
  operations.every((operation) => encryptionOperations.some((known) => known === operation))

/** Limits on RSA keys: short moduli can be factored; long moduli and exponents make each verification expensive. */
export const rsaLimits = { minModulusBits: 2048, maxModulusBits: 8192, maxExponentBytes: 8 } as const

/** Returns the algorithms that a key of this type, and curve if the type has curves, can verify. */
export const algorithmsOf = (kty: KeyRule["kty"], crv?: string): ReadonlyArray<JwsAlgorithm> =>
  jwsAlgorithms.filter((algorithm) => {
    const rule = keyRules[algorithm]
    return rule.kty === kty && (rule.kty === "RSA" || rule.crv === crv)
  })

const keyText = (rule: KeyRule): string =>
  rule.kty === "RSA"
    ? `RSA, ${rsaLimits.minModulusBits} to ${rsaLimits.maxModulusBits} bits, odd exponent of 3 or more`
    : `${rule.kty}, ${rule.crv}`

/** The policy as a Markdown table. */
export const policyReference = (): string =>
  markdownTable(
    ["Algorithm", "Key", "Allowed"],
    jwsAlgorithms.map((algorithm) => [
      `\`${algorithm}\``,
      keyText(keyRules[algorithm]),
      algorithm === "RS256" ? "yes" : "when listed in `MCP_JWT_ALGORITHM`"
    ])
  )

import { constants, KeyObject, verify, type VerifyKeyObjectInput } from "node:crypto"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { VerifyAtOnce } from "../verify/jwt/signature.ts"

/** Node's names for an algorithm, and Web Crypto's for its keys (RFC 7518, section 3.1; RFC 8037, section 3.1). */
interface Scheme {
  readonly digest: string | undefined
  readonly options: Omit<VerifyKeyObjectInput, "key">
  readonly key: { readonly name: string; readonly hash?: string; readonly namedCurve?: string }
}

const rsa = (bits: number): Scheme => ({
  digest: `sha${bits}`,
  options: { padding: constants.RSA_PKCS1_PADDING },
  key: { name: "RSASSA-PKCS1-v1_5", hash: `SHA-${bits}` }
})

const pss = (bits: number): Scheme => ({
  digest: `sha${bits}`,
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 },
  key: { name: "RSA-PSS", hash: `SHA-${bits}` }
})

// Without ES384 and ES512, which take 0.6 and 1.3 ms and would delay all other requests for that time.
const schemes: Readonly<Partial<Record<JwsAlgorithm, Scheme>>> = {
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: pss(256),
  PS384: pss(384),
  PS512: pss(512),
  ES256: { digest: "sha256", options: { dsaEncoding: "ieee-p1363" }, key: { name: "ECDSA", namedCurve: "P-256" } },
  EdDSA: { digest: undefined, options: {}, key: { name: "Ed25519" } }
}

// 0.07 ms; 8192 bits take four times as long.
const maxModulusBits = 4096

interface Prepared {
  readonly algorithm: JwsAlgorithm
  readonly digest: string | undefined
  readonly input: VerifyKeyObjectInput
}

const prepared = new WeakMap<CryptoKey, Prepared>()

/** Prepares a key. `undefined`: the key is for another algorithm, or takes too long. */
const prepare = (algorithm: JwsAlgorithm, key: CryptoKey): Prepared | undefined => {
  const scheme = schemes[algorithm]
  // Each kind of key has some of these members; the type of `algorithm` does not distinguish the kinds.
  const { hash, modulusLength, name, namedCurve } = key.algorithm as Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>
  const isFit = scheme !== undefined && key.type === "public" && key.usages.includes("verify") &&
    name === scheme.key.name && hash?.name === scheme.key.hash && namedCurve === scheme.key.namedCurve &&
    (modulusLength === undefined || modulusLength <= maxModulusBits)
  if (!isFit) return undefined
  const ready = { algorithm, digest: scheme.digest, input: { ...scheme.options, key: KeyObject.from(key) } }
  prepared.set(key, ready)
  return ready
}

/**
 * Node's `VerifyAtOnce`, by OpenSSL in this thread: RSA up to 4096 bits, ES256 and EdDSA.
 *
 * Web Crypto does the same in another thread, and switching threads takes longer than the verification.
 */
export const verifyAtOnce: VerifyAtOnce = (algorithm, key, signature, signed) => {
  try {
    const ready = prepared.get(key) ?? prepare(algorithm, key)
    return ready?.algorithm === algorithm
      ? verify(ready.digest, Buffer.from(signed, "latin1"), ready.input, signature)
      : undefined
  } catch {
    // Web Crypto decides the reason.
    return undefined
  }
}

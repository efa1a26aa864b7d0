/** Key pairs that sign test tokens, one for each algorithm that the gateway can allow. */
import * as Effect from "effect/Effect"
import { exportJWK, exportSPKI, type JWK } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"

/** Anything that can sign a compact JWS. */
export interface Signer {
  /** The default of `alg` in the header. */
  readonly algorithm: string
  /** The default of `kid` in the header; `undefined` leaves it out. */
  readonly kid: string | undefined
  readonly sign: (input: Uint8Array) => Effect.Effect<Uint8Array>
}

/** A key pair. */
export interface SigningKey extends Signer {
  readonly algorithm: JwsAlgorithm
  readonly kid: string
  /** The public key as a JWKS publishes it: with `kid`, `alg` and `use: "sig"`. */
  readonly publicJwk: JWK
  /** PEM (SPKI), for gateways that are configured with one public key. */
  readonly publicPem: string
  /** Extractable, for tests of providers that publish a private key. */
  readonly privateKey: CryptoKey
}

/** Options of a key. */
export interface SigningKeyOptions {
  readonly algorithm: JwsAlgorithm
  readonly kid: string
  /** RSA only, in bits; default: 2048. Small keys are for tests of weak keys. */
  readonly modulusLength?: number | undefined
}

interface Parameters {
  readonly generate: RsaHashedKeyGenParams | EcKeyGenParams | Algorithm
  readonly sign: RsaPssParams | EcdsaParams | Algorithm
}

const parameters = (algorithm: JwsAlgorithm, modulusLength: number): Parameters => {
  if (algorithm === "EdDSA") return { generate: { name: "Ed25519" }, sign: { name: "Ed25519" } }
  const bits = algorithm.slice(2)
  const hash = `SHA-${bits}`
  // 65537, the public exponent of practically every RSA key (FIPS 186-5, section 5.4)
  const rsa = { modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash }
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return { generate: { name: "RSASSA-PKCS1-v1_5", ...rsa }, sign: { name: "RSASSA-PKCS1-v1_5" } }
    case "PS": // RFC 7518, section 3.5: the salt is as long as the hash
      return { generate: { name: "RSA-PSS", ...rsa }, sign: { name: "RSA-PSS", saltLength: Number(bits) / 8 } }
    default:
      return {
        generate: { name: "ECDSA", namedCurve: bits === "512" ? "P-521" : `P-${bits}` },
        sign: { name: "ECDSA", hash }
      }
  }
}

/**
 * Generates a key pair.
 *
 * `TestIssuer` generates its own keys. Use this function for keys that the issuer does not publish, such as an
 * attacker's.
 */
export const makeSigningKey = Effect.fnUntraced(
  function*(options: SigningKeyOptions): Effect.fn.Return<SigningKey> {
    const { algorithm, kid } = options
    const { generate, sign } = parameters(algorithm, options.modulusLength ?? 2048)
    const generated = yield* Effect.promise(() => crypto.subtle.generateKey(generate, true, ["sign", "verify"]))
    // Every algorithm above is asymmetric, so the result is a pair, which the type of `generateKey` cannot express.
    const { privateKey, publicKey } = generated as CryptoKeyPair
    const jwk = yield* Effect.promise(() => exportJWK(publicKey))
    return {
      algorithm,
      kid,
      publicJwk: { ...jwk, kid, alg: algorithm, use: "sig" },
      publicPem: yield* Effect.promise(() => exportSPKI(publicKey)),
      privateKey,
      sign: (input) =>
        Effect.map(
          Effect.promise(() => crypto.subtle.sign(sign, privateKey, Uint8Array.from(input))),
          (signature) => new Uint8Array(signature)
        )
    }
  }
)

/**
 * Signs with a shared secret (HS256, HS384, HS512; RFC 7518, section 3.2). The secret may be empty.
 *
 * For tests of algorithm confusion, where the secret is a public key that the verifier has. The gateway itself
 * accepts no HMAC.
 *
 * @param hash the length of the hash in bits; default: 256
 */
export const hmacSigner = (
  secret: string | Uint8Array,
  kid?: string,
  hash: "256" | "384" | "512" = "256"
): Signer => {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : Uint8Array.from(secret)
  // WebCrypto rejects an empty secret. HMAC pads with zeros, so one zero byte is equivalent (RFC 2104, section 2).
  const raw = bytes.length === 0 ? new Uint8Array(1) : bytes
  const algorithm = { name: "HMAC", hash: `SHA-${hash}` }
  const signed = async (input: Uint8Array) => {
    const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"])
    return new Uint8Array(await crypto.subtle.sign(algorithm, key, Uint8Array.from(input)))
  }
  return { algorithm: `HS${hash}`, kid, sign: (input) => Effect.promise(() => signed(input)) }
}

/**
 * Completes the two operations of Web Crypto that verify a JWS, for an engine that implements only a part of them.
 *
 * The component's engine lacks RSA-PSS and Ed25519, and tests the modulus for primality whenever it imports an RSA key,
 * which takes many times as long as a verification. ECDSA and all digests are the engine's. For public keys only:
 * everything else is passed to the engine.
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { readSpki, type SpkiKey } from "../../keys/spki.ts"
import { type Digest, type Hash, type RsaPublicKey, rsaPublicKey, verifyPkcs1, verifyPss } from "./rsa.ts"

/** The operations that the engine provides. */
export type EngineCrypto = Pick<SubtleCrypto, "digest" | "importKey" | "verify">

/** The operations that verification needs. */
export type Verification = Pick<SubtleCrypto, "importKey" | "verify">

type RsaName = "RSASSA-PKCS1-v1_5" | "RSA-PSS"

type Scheme =
  | { readonly _tag: "Rsa"; readonly name: RsaName; readonly hash: Hash }
  | { readonly _tag: "Ed25519" }

type Material =
  | { readonly _tag: "Rsa"; readonly scheme: Extract<Scheme, { _tag: "Rsa" }>; readonly key: RsaPublicKey }
  | { readonly _tag: "Ed25519"; readonly publicKey: Uint8Array }

/** A public key that this module verifies with. */
class VerificationKey implements CryptoKey {
  readonly [Symbol.toStringTag] = "CryptoKey"
  readonly type = "public"
  readonly extractable = true
  readonly usages: Array<KeyUsage> = ["verify"]
  readonly algorithm: KeyAlgorithm
  readonly material: Material

  constructor(material: Material, algorithm: KeyAlgorithm) {
    this.material = material
    this.algorithm = algorithm
  }
}

const schemeOf = (algorithm: AlgorithmIdentifier): Scheme | undefined => {
  const name = typeof algorithm === "string" ? algorithm : algorithm.name
  if (name === "Ed25519") return { _tag: "Ed25519" }
  if (name !== "RSASSA-PKCS1-v1_5" && name !== "RSA-PSS") return undefined
  const given = typeof algorithm === "object" && "hash" in algorithm ? algorithm.hash : undefined
  const hash = typeof given === "object" && given !== null && "name" in given ? given.name : given
  return hash === "SHA-256" || hash === "SHA-384" || hash === "SHA-512" ? { _tag: "Rsa", name, hash } : undefined
}

const unsupported = () => new TypeError("not a public key of this algorithm")

const rsaKey = (scheme: Extract<Scheme, { _tag: "Rsa" }>, modulus: Uint8Array, exponent: Uint8Array) => {
  const key = rsaPublicKey(modulus, exponent)
  const algorithm: RsaHashedKeyAlgorithm = {
    name: scheme.name,
    hash: { name: scheme.hash },
    modulusLength: key.modulusBits,
    // A copy, because the octets may be a part of another buffer.
    publicExponent: new Uint8Array(exponent)
  }
  return new VerificationKey({ _tag: "Rsa", scheme, key }, algorithm)
}

const keyOf = (scheme: Scheme, key: SpkiKey | undefined): VerificationKey => {
  if (scheme._tag === "Rsa" && key?._tag === "Rsa") return rsaKey(scheme, key.modulus, key.exponent)
  if (scheme._tag === "Ed25519" && key?._tag === "Ed25519") {
    return new VerificationKey({ _tag: "Ed25519", publicKey: key.publicKey }, { name: "Ed25519" })
  }
  throw unsupported()
}

const octetsOf = (member: string | undefined): Uint8Array | undefined =>
  member === undefined ? undefined : Result.getOrUndefined(Base64Url.decode(member))

const readJwk = ({ crv, e, kty, n, x }: JsonWebKey): SpkiKey | undefined => {
  const modulus = octetsOf(n)
  const exponent = octetsOf(e)
  if (kty === "RSA" && modulus !== undefined && exponent !== undefined) return { _tag: "Rsa", modulus, exponent }
  const publicKey = octetsOf(x)
  return kty === "OKP" && crv === "Ed25519" && publicKey?.length === 32 ? { _tag: "Ed25519", publicKey } : undefined
}

const isOctets = (keyData: BufferSource | JsonWebKey): keyData is BufferSource =>
  ArrayBuffer.isView(keyData) || keyData instanceof ArrayBuffer

const octets = (source: BufferSource): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)

/** Removes the members without a value, which the component's engine treats as invalid. */
const defined = (jwk: JsonWebKey): JsonWebKey =>
  Object.fromEntries(Object.entries(jwk).filter(([, value]) => value !== undefined))

/** Completes the operations of an engine. */
export const makeVerification = (engine: EngineCrypto): Verification => {
  // A copy, because the type of the engine's parameter excludes shared memory.
  const digest: Digest = async (hash, message) => new Uint8Array(await engine.digest(hash, new Uint8Array(message)))

  const verifyWith = async (material: Material, signature: Uint8Array, message: Uint8Array): Promise<boolean> => {
    if (material._tag === "Ed25519") {
      // On first use: the library reads randomness when it is loaded, which is impossible while the component is built.
      const { ed25519 } = await import("@noble/curves/ed25519.js")
      // As in RFC 8032, without the leniency that ledgers agreed on.
      return signature.length === 64 && ed25519.verify(signature, message, material.publicKey, { zip215: false })
    }
    const { hash, name } = material.scheme
    const verify = name === "RSA-PSS" ? verifyPss : verifyPkcs1
    return verify(material.key, hash, signature, message, digest)
  }

  const importKey = (
    format: KeyFormat,
    keyData: BufferSource | JsonWebKey,
    algorithm: AlgorithmIdentifier,
    extractable: boolean,
    usages: ReadonlyArray<KeyUsage>
  ): Promise<CryptoKey> | CryptoKey => {
    const scheme = usages.length === 1 && usages[0] === "verify" ? schemeOf(algorithm) : undefined
    if (isOctets(keyData)) {
      if (format === "jwk") throw unsupported()
      if (scheme !== undefined && format === "spki") return keyOf(scheme, readSpki(octets(keyData)))
      return engine.importKey(format, keyData, algorithm, extractable, [...usages])
    }
    if (format !== "jwk") throw unsupported()
    if (scheme !== undefined && keyData.d === undefined) return keyOf(scheme, readJwk(keyData))
    return engine.importKey(format, defined(keyData), algorithm, extractable, usages)
  }

  return {
    importKey: async (
      format: KeyFormat,
      keyData: BufferSource | JsonWebKey,
      algorithm: AlgorithmIdentifier,
      extractable: boolean,
      usages: ReadonlyArray<KeyUsage>
    ) => importKey(format, keyData, algorithm, extractable, usages),
    verify: async (algorithm, key, signature, message) =>
      key instanceof VerificationKey
        ? verifyWith(key.material, octets(signature), octets(message))
        : engine.verify(algorithm, key, signature, message)
  }
}

/** Completes the engine's own object, which libraries use. */
export const completeVerification = (subtle: SubtleCrypto): void => {
  const { digest, importKey, verify } = subtle
  const engine = {
    digest: digest.bind(subtle),
    importKey: importKey.bind(subtle),
    verify: verify.bind(subtle)
  }
  Object.assign(subtle, makeVerification(engine))
}

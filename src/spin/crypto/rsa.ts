/**
 * RSA signature verification (RFC 8017, section 8), for engines without it or with a slow implementation.
 *
 * For public keys only. The only RSA operation is a power modulo n; everything else compares octets.
 */
import { bitLength, isSame, powerModulo, toInteger, toOctets } from "../../keys/integers.ts"

/** Hash functions, by their names in Web Crypto. */
export type Hash = "SHA-256" | "SHA-384" | "SHA-512"

export type Digest = (hash: Hash, octets: Uint8Array) => Promise<Uint8Array>

export interface RsaPublicKey {
  readonly modulus: bigint
  readonly modulusBits: number
  readonly exponent: bigint
}

/** Verifies a signature of a message with a key. `digest` computes the hash. */
export type VerifyRsa = (
  key: RsaPublicKey,
  hash: Hash,
  signature: Uint8Array,
  message: Uint8Array,
  digest: Digest
) => Promise<boolean>

/** Builds a key from its two integers, big-endian. */
export const rsaPublicKey = (modulus: Uint8Array, exponent: Uint8Array): RsaPublicKey => {
  const n = toInteger(modulus)
  return { modulus: n, modulusBits: bitLength(n), exponent: toInteger(exponent) }
}

/** RSAVP1: the encoded message in `length` octets; `undefined` if the signature cannot belong to this key (5.2.2). */
const encodedMessage = (
  { exponent, modulus, modulusBits }: RsaPublicKey,
  signature: Uint8Array,
  length: number
): Uint8Array | undefined => {
  const representative = toInteger(signature)
  if (signature.length !== Math.ceil(modulusBits / 8) || representative >= modulus) return undefined
  const message = powerModulo(representative, exponent, modulus)
  return bitLength(message) > length * 8 ? undefined : toOctets(message, length)
}

// DER of a DigestInfo up to the digest (9.2, note 1).
const digestInfo = (algorithm: number, length: number) =>
  Uint8Array.of(0x30, length + 17, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, algorithm, 5, 0, 4, length)

const digestInfos: Readonly<Record<Hash, Uint8Array>> = {
  "SHA-256": digestInfo(1, 32),
  "SHA-384": digestInfo(2, 48),
  "SHA-512": digestInfo(3, 64)
}

/**
 * RSASSA-PKCS1-v1_5 (8.2.2).
 *
 * The encoding is computed and compared as a whole, never parsed: lenient parsers have accepted forgeries (CVE-2006-4339
 * and its successors).
 */
export const verifyPkcs1: VerifyRsa = async (key, hash, signature, message, digest) => {
  const length = Math.ceil(key.modulusBits / 8)
  const encoded = encodedMessage(key, signature, length)
  const hashed = await digest(hash, message)
  const info = digestInfos[hash]
  const padding = length - info.length - hashed.length - 3
  if (encoded === undefined || padding < 8) return false
  const expected = new Uint8Array(length).fill(0xff)
  expected[0] = 0
  expected[1] = 1
  expected[2 + padding] = 0
  expected.set(info, 3 + padding)
  expected.set(hashed, length - hashed.length)
  return isSame(encoded, expected)
}

/** MGF1 (B.2.1). */
const mask = async (seed: Uint8Array, length: number, hash: Hash, digest: Digest): Promise<Uint8Array> => {
  const octets = new Uint8Array(length)
  const input = new Uint8Array(seed.length + 4)
  input.set(seed)
  for (let counter = 0, at = 0; at < length; counter++) {
    new DataView(input.buffer).setUint32(seed.length, counter)
    const block = await digest(hash, input)
    octets.set(block.subarray(0, length - at), at)
    at += block.length
  }
  return octets
}

/** RSASSA-PSS (8.1.2, 9.1.2) with a salt as long as the hash and MGF1 with the same hash (RFC 7518, section 3.5). */
export const verifyPss: VerifyRsa = async (key, hash, signature, message, digest) => {
  const bits = key.modulusBits - 1
  const length = Math.ceil(bits / 8)
  const encoded = encodedMessage(key, signature, length)
  const hashed = await digest(hash, message)
  const maskLength = length - hashed.length - 1
  const saltAt = maskLength - hashed.length
  if (encoded === undefined || saltAt < 1 || encoded[length - 1] !== 0xbc) return false

  const fits = 0xff >> (length * 8 - bits)
  if (((encoded[0] ?? 0) & ~fits) !== 0) return false
  const proof = encoded.subarray(maskLength, length - 1)
  const unmasking = await mask(proof, maskLength, hash, digest)
  const block = encoded.subarray(0, maskLength).map((octet, index) => octet ^ (unmasking[index] ?? 0))
  block[0] = (block[0] ?? 0) & fits
  if (block[saltAt - 1] !== 1 || block.subarray(0, saltAt - 1).some((octet) => octet !== 0)) return false

  const salted = new Uint8Array(8 + hashed.length * 2)
  salted.set(hashed, 8)
  salted.set(block.subarray(saltAt), 8 + hashed.length)
  return isSame(proof, await digest(hash, salted))
}

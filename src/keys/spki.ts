/** Public keys as SubjectPublicKeyInfo (RFC 5280, section 4.1), DER. */
import { isSame } from "./integers.ts"

/** A key, by the algorithm that its DER names. */
export type SpkiKey =
  | { readonly _tag: "Rsa"; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  | { readonly _tag: "Ed25519"; readonly publicKey: Uint8Array }
  | {
    readonly _tag: "Ec"
    readonly crv: "P-256" | "P-384" | "P-521"
    readonly x: Uint8Array
    readonly y: Uint8Array
  }

const sequence = 0x30
const integer = 0x02
const bitString = 0x03

// With the parameters of each: NULL (RFC 3279, section 2.3.1), and absent (RFC 8410, section 3).
const rsaEncryption = Uint8Array.of(6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0)
const ed25519 = Uint8Array.of(6, 3, 0x2b, 0x65, 0x70)

// RFC 5480, section 2.1.1: id-ecPublicKey, and the named curve as its parameter.
const ecPublicKey = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]
const primeCurves = [
  { crv: "P-256", octets: 32, oid: Uint8Array.of(...ecPublicKey, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7) },
  { crv: "P-384", octets: 48, oid: Uint8Array.of(...ecPublicKey, 6, 5, 0x2b, 0x81, 4, 0, 0x22) },
  { crv: "P-521", octets: 66, oid: Uint8Array.of(...ecPublicKey, 6, 5, 0x2b, 0x81, 4, 0, 0x23) }
] as const

/**
 * Reads the content of the first element, and the rest; `undefined` if the element has another type or is truncated.
 */
const element = (
  octets: Uint8Array,
  tag: number
): { readonly content: Uint8Array; readonly rest: Uint8Array } | undefined => {
  const [first, short = 0] = octets
  const lengthOctets = short < 0x80 ? 0 : short - 0x80
  if (first !== tag || octets.length < 2 + lengthOctets || lengthOctets > 2 || short === 0x80) return undefined
  const length = lengthOctets === 0
    ? short
    : octets.subarray(2, 2 + lengthOctets).reduce((sum, octet) => sum * 256 + octet, 0)
  const end = 2 + lengthOctets + length
  return end > octets.length
    ? undefined
    : { content: octets.subarray(2 + lengthOctets, end), rest: octets.subarray(end) }
}

/** Reads the content of an element that must be the only one. */
const only = (octets: Uint8Array, tag: number): Uint8Array | undefined => {
  const found = element(octets, tag)
  return found?.rest.length === 0 ? found.content : undefined
}

const rsa = (octets: Uint8Array): SpkiKey | undefined => {
  const key = only(octets, sequence)
  const modulus = key === undefined ? undefined : element(key, integer)
  const exponent = modulus === undefined ? undefined : only(modulus.rest, integer)
  return modulus === undefined || exponent === undefined
    ? undefined
    : { _tag: "Rsa", modulus: modulus.content, exponent }
}

/** Reads a point in its uncompressed form (SEC 1, section 2.3.3): 4, and both coordinates. */
const ec = (algorithm: Uint8Array, point: Uint8Array): SpkiKey | undefined => {
  const curve = primeCurves.find(({ oid }) => isSame(oid, algorithm))
  return curve === undefined || point[0] !== 4 || point.length !== 1 + 2 * curve.octets ? undefined : {
    _tag: "Ec",
    crv: curve.crv,
    x: point.subarray(1, 1 + curve.octets),
    y: point.subarray(1 + curve.octets)
  }
}

/** Reads a key; `undefined` if it is another kind of key or not a key. */
export const readSpki = (der: Uint8Array): SpkiKey | undefined => {
  const info = only(der, sequence)
  const algorithm = info === undefined ? undefined : element(info, sequence)
  const key = algorithm === undefined ? undefined : only(algorithm.rest, bitString)
  // The first octet of a bit string is the number of unused bits in the last one.
  if (algorithm === undefined || key === undefined || key[0] !== 0) return undefined
  if (isSame(algorithm.content, rsaEncryption)) return rsa(key.subarray(1))
  return isSame(algorithm.content, ed25519) && key.length === 33
    ? { _tag: "Ed25519", publicKey: key.subarray(1) }
    : ec(algorithm.content, key.subarray(1))
}

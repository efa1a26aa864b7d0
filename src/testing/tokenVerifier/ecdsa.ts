/** Invalid signatures, and signatures in forms that JOSE does not define. Pure. */
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"

// SEC 2, version 2.0, sections 2.4.2, 2.5.1 and 2.6.1
const orders: Partial<Record<JwsAlgorithm, string>> = {
  ES256: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  ES384: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  ES512:
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47" +
    "aebb6fb71e91386409"
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** An integer in `length` bytes. */
const small = (value: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  bytes[length - 1] = value
  return bytes
}

/** Signatures of `length` bytes, or empty ones, that need no key. */
export const trivialSignatures = (algorithm: JwsAlgorithm, length: number): ReadonlyArray<Uint8Array> => {
  const order = orders[algorithm]
  const numbers = [small(0, length / 2), small(1, length / 2), ...(order === undefined ? [] : [fromHex(order)])]
  const pairs = algorithm.startsWith("ES") ? numbers.flatMap((r) => numbers.map((s) => Uint8Array.of(...r, ...s))) : []
  const first = new Uint8Array(length)
  first[0] = 1
  return [
    new Uint8Array(0),
    new Uint8Array(1),
    new Uint8Array(length),
    new Uint8Array(length).fill(0xff),
    small(1, length),
    // For Ed25519 the neutral point, with zero: valid for weak keys.
    first,
    ...pairs
  ]
}

const derInteger = (number: Uint8Array): ReadonlyArray<number> => {
  const start = number.findIndex((byte) => byte !== 0)
  const bytes = number.subarray(Math.max(start, 0))
  // A leading zero, because the number would otherwise be negative.
  const content = (bytes[0] ?? 0) > 0x7f ? [0, ...bytes] : [...bytes]
  return [0x02, content.length, ...content]
}

/** `SEQUENCE { r, s }` (RFC 3279, section 2.2.3), which most crypto libraries use, unlike JOSE. */
const derSignature = (r: Uint8Array, s: Uint8Array): Uint8Array => {
  const content = [...derInteger(r), ...derInteger(s)]
  return Uint8Array.of(0x30, ...(content.length > 0x7f ? [0x81] : []), content.length, ...content)
}

/** The two numbers of a valid signature in other forms than r followed by s. */
export const otherSignatures = (signature: Uint8Array): ReadonlyArray<Uint8Array> => {
  const [r, s] = [signature.subarray(0, signature.length / 2), signature.subarray(signature.length / 2)]
  return [
    derSignature(r, s),
    Uint8Array.of(0, ...signature),
    Uint8Array.of(...signature, 0),
    Uint8Array.of(0, ...r, 0, ...s),
    Uint8Array.of(...s, ...r),
    r,
    signature.subarray(1),
    signature.subarray(0, -1),
    Uint8Array.of(...signature, ...signature)
  ]
}

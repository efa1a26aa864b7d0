/** Integers and octet strings (RFC 8017, section 4), eight octets at a time: single octets are slow in an interpreter. */

const wordBits = 64n

/** OS2IP: the integer that an octet string represents, big-endian. */
export const toInteger = (octets: Uint8Array): bigint => {
  const padded = new Uint8Array(Math.ceil(octets.length / 8) * 8)
  padded.set(octets, padded.length - octets.length)
  const words = new DataView(padded.buffer)
  let integer = 0n
  for (let at = 0; at < padded.length; at += 8) integer = integer << wordBits | words.getBigUint64(at)
  return integer
}

/** I2OSP: `length` octets, big-endian. Leading octets that do not fit are cut off. */
export const toOctets = (integer: bigint, length: number): Uint8Array => {
  const padded = new Uint8Array(Math.ceil(length / 8) * 8)
  const words = new DataView(padded.buffer)
  let rest = integer
  for (let at = padded.length - 8; at >= 0; at -= 8) {
    words.setBigUint64(at, rest)
    rest >>= wordBits
  }
  return padded.subarray(padded.length - length)
}

/** Returns the number of bits of an integer, without leading zeros. */
export const bitLength = (integer: bigint): number => integer === 0n ? 0 : integer.toString(2).length

/** `base` to the power of `exponent`, modulo `modulus`. Not in constant time: for public keys only. */
export const powerModulo = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n
  let square = base % modulus
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = result * square % modulus
    if (bits > 1n) square = square * square % modulus
  }
  return result
}

/** Whether two octet strings are the same; not in constant time. */
export const isSame = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((octet, index) => octet === right[index])

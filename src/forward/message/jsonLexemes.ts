/**
 * The smallest parts of a JSON text: numbers, literals, escapes and UTF-8 sequences (RFC 8259, sections 3, 6 and 7;
 * RFC 3629, section 4).
 *
 * Each function says where the part that begins at `at` ends, or -1 if no such part begins there. They read past the
 * end of the bytes without harm: what they find there fits no rule.
 */

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

const endOfDigits = (bytes: Uint8Array, at: number): number => {
  if (!isDigit(bytes[at])) return -1
  let end = at + 1
  while (isDigit(bytes[end])) end++
  return end
}

/** The end of the number at `at`. What follows it is the caller's to judge (`01` is the number `0` and then a `1`). */
export const endOfNumber = (bytes: Uint8Array, at: number): number => {
  const integer = bytes[at] === 0x2d ? at + 1 : at
  let end = bytes[integer] === 0x30 ? integer + 1 : endOfDigits(bytes, integer)
  if (end >= 0 && bytes[end] === 0x2e) end = endOfDigits(bytes, end + 1)
  if (end >= 0 && (bytes[end] === 0x65 || bytes[end] === 0x45)) {
    const sign = bytes[end + 1]
    end = endOfDigits(bytes, sign === 0x2b || sign === 0x2d ? end + 2 : end + 1)
  }
  return end
}

const literals = ["true", "false", "null"].map((literal) => new TextEncoder().encode(literal))

/** The end of the `true`, `false` or `null` at `at`. */
export const endOfLiteral = (bytes: Uint8Array, at: number): number => {
  const literal = literals.find((literal) => literal.every((byte, index) => bytes[at + index] === byte))
  return literal === undefined ? -1 : at + literal.length
}

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** The UTF-16 code unit that the escape at `at` (where its backslash stands) means, or -1 if it is no escape. */
export const escapedCodeUnit = (bytes: Uint8Array, at: number): number => {
  switch (bytes[at + 1]) {
    case 0x22:
      return 0x22
    case 0x5c:
      return 0x5c
    case 0x2f:
      return 0x2f
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    case 0x75: {
      const a = hexDigit(bytes[at + 2])
      const b = hexDigit(bytes[at + 3])
      const c = hexDigit(bytes[at + 4])
      const d = hexDigit(bytes[at + 5])
      return a < 0 || b < 0 || c < 0 || d < 0 ? -1 : (a << 12) | (b << 8) | (c << 4) | d
    }
    default:
      return -1
  }
}

const isContinuation = (byte: number | undefined, least = 0x80, greatest = 0xbf): boolean =>
  byte !== undefined && byte >= least && byte <= greatest

/** The end of the sequence of more than one byte at `at`: shortest form only, no surrogates, none above U+10FFFF. */
export const endOfUtf8 = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at] ?? 0
  const second = bytes[at + 1]
  if (lead >= 0xc2 && lead <= 0xdf) return isContinuation(second) ? at + 2 : -1
  if (lead >= 0xe0 && lead <= 0xef) {
    const valid = isContinuation(second, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf)
    return valid && isContinuation(bytes[at + 2]) ? at + 3 : -1
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const valid = isContinuation(second, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf)
    return valid && isContinuation(bytes[at + 2]) && isContinuation(bytes[at + 3]) ? at + 4 : -1
  }
  return -1
}

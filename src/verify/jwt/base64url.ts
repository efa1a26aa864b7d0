const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** The value of each ASCII character; -1 for characters outside the alphabet. */
const values = Int8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)))

/** The six bits of a character, shifted into place; negative if the character is not in the alphabet. */
const bits = (text: string, index: number, place: number): number => (values[text.charCodeAt(index)] ?? -1) << place

/**
 * Decodes a non-empty text in canonical base64url: no padding, no other characters, unused bits zero (RFC 7515, section
 * 2; RFC 4648, section 3.5). Returns `undefined` for every other text.
 *
 * Each sequence of bytes has only one canonical text, so no token has a second spelling.
 */
export const decode = (text: string): Uint8Array | undefined => {
  const rest = text.length % 4
  if (text.length === 0 || rest === 1) return undefined
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4))
  const whole = text.length - rest
  let at = 0
  for (let index = 0; index < whole; index += 4) {
    const group = bits(text, index, 18) | bits(text, index + 1, 12) | bits(text, index + 2, 6) |
      bits(text, index + 3, 0)
    if (group < 0) return undefined
    bytes[at++] = group >> 16
    bytes[at++] = group >> 8
    bytes[at++] = group
  }
  if (rest === 0) return bytes
  const group = bits(text, whole, 18) | bits(text, whole + 1, 12) | (rest === 3 ? bits(text, whole + 2, 6) : 0)
  if (group < 0 || (group & (rest === 3 ? 0xff : 0xffff)) !== 0) return undefined
  bytes[at++] = group >> 16
  if (rest === 3) bytes[at] = group >> 8
  return bytes
}

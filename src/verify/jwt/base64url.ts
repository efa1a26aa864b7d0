import { base64url } from "jose"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const segment = /^[A-Za-z0-9_-]+$/

/** How many low bits of the last character carry nothing, by length modulo 4; 1 is no length at all. */
const unusedBits = [0, undefined, 4, 2]

/**
 * Says whether a text is base64url that re-encodes to itself: no padding, no other characters, unused bits zero
 * (RFC 7515, section 2; RFC 4648, section 3.5), and not empty.
 *
 * Only one text then stands for given bytes, so that a token cannot be respelled.
 */
export const isCanonical = (text: string): boolean => {
  const unused = unusedBits[text.length % 4]
  return unused !== undefined && segment.test(text) && alphabet.indexOf(text.slice(-1)) % (1 << unused) === 0
}

/** The bytes of a canonical text. */
export const decode = (text: string): Uint8Array => base64url.decode(text)

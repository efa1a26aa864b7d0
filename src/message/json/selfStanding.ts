/** Bytes that stand for themselves inside a JSON string: printable ASCII except `"` and `\` (RFC 8259, section 7). */

/** 1 for each byte that stands for itself. */
export const selfStanding: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c ? 1 : 0
)

/** The bytes as words of four, from the first aligned address on; `offset` is the position of that word. */
export interface Words {
  readonly offset: number
  readonly words: Int32Array
}

export const wordsOf = (bytes: Uint8Array): Words => {
  const offset = -bytes.byteOffset & 3
  const length = Math.max(0, (bytes.length - offset) >> 2)
  // If there is no whole word, the offset may lie outside of the buffer.
  return {
    offset,
    words: length === 0 ? new Int32Array(0) : new Int32Array(bytes.buffer, bytes.byteOffset + offset, length)
  }
}

/**
 * Returns the first word, in steps of sixteen bytes from the word `index` on, that begins sixteen bytes of which some
 * do not stand for themselves.
 *
 * Four bytes are checked at once, in either byte order. Subtracting from a byte that is too small sets its high bit,
 * which no ASCII byte has. Flipping the second bit first turns `"` into 0x20 and the space into 0x22, while control
 * characters stay control characters: then all bytes below 0x21 are special.
 */
export const endOfSelfStanding = (words: Int32Array, index: number): number => {
  const last = words.length - 4
  let at = index
  while (at <= last) {
    const a = words[at] ?? 0
    const b = words[at + 1] ?? 0
    const c = words[at + 2] ?? 0
    const d = words[at + 3] ?? 0
    const special = (a | ((a ^ 0x02020202) - 0x21212121) | ((a ^ 0x5c5c5c5c) - 0x01010101)) |
      (b | ((b ^ 0x02020202) - 0x21212121) | ((b ^ 0x5c5c5c5c) - 0x01010101)) |
      (c | ((c ^ 0x02020202) - 0x21212121) | ((c ^ 0x5c5c5c5c) - 0x01010101)) |
      (d | ((d ^ 0x02020202) - 0x21212121) | ((d ^ 0x5c5c5c5c) - 0x01010101))
    if ((special & 0x80808080) !== 0) break
    at += 4
  }
  return at
}

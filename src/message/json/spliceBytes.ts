/** Changes to a sequence of bytes that leave every other byte as it is. */

/** A replacement of the bytes from `start` up to `end` by `insert`. */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly insert: Uint8Array | undefined
}

/**
 * Applies splices, which are in order and do not overlap, in one pass.
 *
 * Without splices the result is the same instance.
 */
export const spliceBytes = (bytes: Uint8Array, splices: ReadonlyArray<Splice>): Uint8Array => {
  if (splices.length === 0) return bytes
  let { length } = bytes
  for (const { start, end, insert } of splices) length += (insert?.length ?? 0) - (end - start)
  const spliced = new Uint8Array(length)
  let from = 0
  let to = 0
  for (const { start, end, insert } of splices) {
    spliced.set(bytes.subarray(from, start), to)
    to += start - from
    if (insert !== undefined) {
      spliced.set(insert, to)
      to += insert.length
    }
    from = end
  }
  spliced.set(bytes.subarray(from), to)
  return spliced
}

/** Joins pieces; a single piece is returned as the same instance. */
export const joinBytes = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return first
  let length = 0
  for (const piece of pieces) length += piece.length
  const joined = new Uint8Array(length)
  let to = 0
  for (const piece of pieces) {
    joined.set(piece, to)
    to += piece.length
  }
  return joined
}

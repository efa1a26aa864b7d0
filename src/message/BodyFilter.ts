/** Changes the body of a response while it passes. */
export interface BodyFilter {
  /** Why nothing more may pass: what comes after is not given out, and the response must not look complete. For the log. */
  readonly fault: string | undefined
  /** The bytes that leave now, in their order. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<Uint8Array>
  /** The bytes that leave at the end. */
  readonly end: () => ReadonlyArray<Uint8Array>
  /**
   * Lets the memory of all these bytes be used again. Call it when they are sent, or never will be; without it they are
   * left to the garbage collector.
   */
  readonly close?: () => void
}

/** Two changes, one after the other. */
export const chainFilters = (first: BodyFilter, second: BodyFilter): BodyFilter => ({
  get fault() {
    return first.fault ?? second.fault
  },
  push: (chunk) => first.push(chunk).flatMap((piece) => second.push(piece)),
  close: () => {
    first.close?.()
    second.close?.()
  },
  end: () => [...first.end().flatMap((piece) => second.push(piece)), ...second.end()]
})

/** What a filter makes of a body that is here already; a `string` is its fault. */
export const filterPieces = (
  filter: BodyFilter,
  pieces: ReadonlyArray<Uint8Array>
): ReadonlyArray<Uint8Array> | string => {
  const leaving = pieces.flatMap((piece) => filter.push(piece))
  leaving.push(...filter.end())
  return filter.fault ?? leaving
}

/** Changes the body of a response while it passes. */
export interface BodyFilter {
  /** Why nothing more may pass: what comes after is not given out, and the response must not look complete. For the log. */
  readonly fault: string | undefined
  /** The bytes that leave now, in their order. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<Uint8Array>
  /** The bytes that leave at the end. */
  readonly end: () => ReadonlyArray<Uint8Array>
}

/** Two changes, one after the other. */
export const chainFilters = (first: BodyFilter, second: BodyFilter): BodyFilter => ({
  get fault() {
    return first.fault ?? second.fault
  },
  push: (chunk) => first.push(chunk).flatMap(second.push),
  end: () => [...first.end().flatMap(second.push), ...second.end()]
})

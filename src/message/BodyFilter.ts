import { joinBytes } from "./json/spliceBytes.ts"

/** Changes the body of a response while it is forwarded. */
export interface BodyFilter {
  /**
   * Why the response must not be forwarded any further, for the log. The rest is discarded, and the response is
   * aborted.
   */
  readonly fault: string | undefined
  /** Takes a chunk; returns the bytes to forward now, in order. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<Uint8Array>
  /** Returns the bytes to forward at the end. */
  readonly end: () => ReadonlyArray<Uint8Array>
  /**
   * Allows the memory of all returned bytes to be used again. Call it once they have been sent, or will not be sent. If
   * it is not called, the garbage collector frees the memory.
   */
  readonly close?: () => void
}

/** Combines two changes, applied one after the other. */
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

/** Builds a filter from a change that needs the whole body. */
export class WholeFilter implements BodyFilter {
  readonly fault = undefined

  private readonly apply: (body: Uint8Array) => Uint8Array
  private readonly pieces: Array<Uint8Array> = []

  constructor(apply: (body: Uint8Array) => Uint8Array) {
    this.apply = apply
  }

  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    this.pieces.push(chunk)
    return []
  }

  end(): ReadonlyArray<Uint8Array> {
    return [this.apply(joinBytes(this.pieces))]
  }
}

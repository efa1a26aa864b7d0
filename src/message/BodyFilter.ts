import { joinBytes } from "./json/spliceBytes.ts"

/** Changes the body of a response while it passes. */
export interface BodyFilter {
  /** Why no more bytes may pass: the rest is discarded, and the response must not look complete. For the log. */
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

/** Changes a body that must be whole for it. */
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

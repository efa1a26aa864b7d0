/** Bytes on their way, some of which have to wait until it is known what becomes of them. */
import { type Splice, spliceBytes } from "../json/spliceBytes.ts"
import type { Slabs } from "./Slabs.ts"

const nothing: Uint8Array = new Uint8Array(0)

/** Takes chunks in, and gives them out changed, as far as they may go. */
export class SplicedBytes {
  private readonly slabs: Slabs
  /** Holds what waits, in its first `length` bytes. */
  private slab: Uint8Array = nothing
  /** How many bytes wait. */
  length = 0
  /** The position of the next chunk's first byte. */
  position = 0
  /** Slabs with bytes that were given out. */
  private readonly lent: Array<Uint8Array> = []

  constructor(slabs: Slabs) {
    this.slabs = slabs
  }

  /**
   * Adds a chunk, and gives what may go: all that stands before `until`, with the splices applied.
   *
   * A splice must not reach beyond `until`, unless it begins there or later; those that were applied are removed.
   */
  push(chunk: Uint8Array, until: number, splices: Array<Splice>): Uint8Array {
    const from = this.position - this.length
    this.position += chunk.length
    const leaving = Math.max(0, Math.min(until, this.position) - from)
    if (this.length === 0) {
      this.hold(leaving === 0 ? chunk : chunk.subarray(leaving))
      return spliceBytes(leaving === chunk.length ? chunk : chunk.subarray(0, leaving), due(splices, from, leaving))
    }
    this.hold(chunk)
    if (leaving === 0) return nothing
    const { length, slab } = this
    this.slab = nothing
    this.length = 0
    this.lent.push(slab)
    this.hold(slab.subarray(leaving, length))
    return spliceInPlace(slab.subarray(0, leaving), due(splices, from, leaving))
  }

  /** Nobody looks at what was given out any more, nor will anything come. */
  close(): void {
    for (const slab of this.lent.splice(0)) this.slabs.give(slab)
    if (this.slab.length > 0) this.slabs.give(this.slab)
    this.slab = nothing
    this.length = 0
  }

  private hold(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > this.slab.length) {
      const { slab } = this
      this.slab = this.slabs.take(Math.max(length, 2 * slab.length))
      this.slab.set(slab.subarray(0, this.length))
      if (slab.length > 0) this.slabs.give(slab)
    }
    this.slab.set(bytes, this.length)
    this.length = length
  }
}

/** Takes out the splices that concern so many bytes from a position, in places from there. */
const due = (splices: Array<Splice>, from: number, length: number): ReadonlyArray<Splice> => {
  const later = splices.findIndex(({ start }) => start >= from + length)
  return splices.splice(0, later === -1 ? splices.length : later)
    .map(({ end, insert, start }) => ({ start: start - from, end: end - from, insert }))
}

/** `spliceBytes` for bytes that may be changed, where nothing is put in. */
const spliceInPlace = (bytes: Uint8Array, splices: ReadonlyArray<Splice>): Uint8Array => {
  const [first] = splices
  if (first === undefined) return bytes
  if (splices.some(({ insert }) => insert !== undefined)) return spliceBytes(bytes, splices)
  let to = first.start
  for (let index = 0; index < splices.length; index++) {
    const from = splices[index]?.end ?? 0
    const end = splices[index + 1]?.start ?? bytes.length
    bytes.copyWithin(to, from, end)
    to += end - from
  }
  return bytes.subarray(0, to)
}

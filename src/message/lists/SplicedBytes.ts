/** Bytes of a stream, some of which are held until they have been decided about. */
import type { Splice } from "../json/spliceBytes.ts"
import type { Slabs } from "./Slabs.ts"

const none: ReadonlyArray<Uint8Array> = []

/**
 * Takes chunks, and returns the bytes that can be forwarded, with the splices applied. Only changed parts are copied,
 * and only once.
 */
export class SplicedBytes {
  private readonly slabs: Slabs
  private chunks: Array<Uint8Array> = []
  /** How many bytes are held. */
  length = 0
  /** The position of the next chunk's first byte. */
  position = 0
  /** The buffers of returned bytes. */
  private readonly lent: Array<Uint8Array> = []

  constructor(slabs: Slabs) {
    this.slabs = slabs
  }

  /**
   * Adds a chunk, and returns the bytes before `until`, with the splices applied.
   *
   * A splice must not extend beyond `until`, unless it begins there or later. Applied splices are removed from the
   * list.
   */
  push(chunk: Uint8Array, until: number, splices: Array<Splice>): ReadonlyArray<Uint8Array> {
    const from = this.position - this.length
    if (chunk.length > 0) this.chunks.push(chunk)
    this.length += chunk.length
    this.position += chunk.length
    const count = Math.max(0, Math.min(until, this.position) - from)
    if (count === 0) return none
    const leaving = this.take(count)
    const due = takeDue(splices, from + count)
    return due.length === 0 ? leaving : [this.change(leaving, count, due, from)]
  }

  /** Call this when the returned bytes are no longer used, and no more chunks will follow. */
  close(): void {
    for (const slab of this.lent.splice(0)) this.slabs.give(slab)
    this.chunks = []
    this.length = 0
  }

  /** Takes this many of the held bytes. */
  private take(count: number): ReadonlyArray<Uint8Array> {
    const { chunks } = this
    this.length -= count
    let left = count
    let whole = 0
    for (; left > 0 && left >= (chunks[whole]?.length ?? left); whole++) left -= chunks[whole]?.length ?? left
    const taken = chunks.splice(0, whole)
    const [cut] = chunks
    if (left > 0 && cut !== undefined) {
      taken.push(cut.subarray(0, left))
      chunks[0] = cut.subarray(left)
    }
    return taken
  }

  /** Copies this many bytes from `from` on, with changes applied. */
  private change(
    pieces: ReadonlyArray<Uint8Array>,
    count: number,
    splices: ReadonlyArray<Splice>,
    from: number
  ): Uint8Array {
    let length = count
    for (const { end, insert, start } of splices) length += (insert?.length ?? 0) - (end - start)
    const slab = this.slabs.take(length)
    this.lent.push(slab)
    let to = 0
    let index = 0
    let pieceStart = from
    const copy = (start: number, end: number) => {
      for (let at = start; at < end;) {
        const piece = pieces[index]
        if (piece === undefined) return
        const stop = Math.min(end, pieceStart + piece.length)
        if (stop > at) {
          slab.set(piece.subarray(at - pieceStart, stop - pieceStart), to)
          to += stop - at
          at = stop
        } else {
          pieceStart += piece.length
          index++
        }
      }
    }
    let kept = from
    for (const { end, insert, start } of splices) {
      copy(kept, start)
      if (insert !== undefined) {
        slab.set(insert, to)
        to += insert.length
      }
      kept = end
    }
    copy(kept, from + count)
    return slab.subarray(0, length)
  }
}

/** Removes and returns the splices before a position. */
const takeDue = (splices: Array<Splice>, until: number): ReadonlyArray<Splice> => {
  const later = splices.findIndex(({ start }) => start >= until)
  return splices.splice(0, later === -1 ? splices.length : later)
}

/** Bytes on their way, some of which have to wait until it is known what becomes of them. */
import { HeldBytes } from "../json/heldBytes.ts"
import { type Splice, spliceBytes } from "../json/spliceBytes.ts"

/** Takes chunks in, and gives them out changed, as far as they may go. */
export class SplicedBytes {
  private readonly held = new HeldBytes()
  /** The position of the first byte that is still here. */
  private from = 0
  /** The position of the next chunk. */
  private next = 0

  /** How many bytes wait. */
  get length(): number {
    return this.held.length
  }

  /** The position of the next chunk's first byte. */
  get position(): number {
    return this.next
  }

  /**
   * Adds a chunk, and gives what may go: all that stands before `until`, with the splices applied.
   *
   * `splices` must not reach beyond `until`, unless they begin there or later; those that were applied are removed.
   */
  push(chunk: Uint8Array, until: number, splices: Array<Splice>): Uint8Array {
    const { from, held } = this
    this.next += chunk.length
    let bytes = chunk
    if (held.length > 0) {
      held.add(chunk)
      if (until <= from) return nothing
      bytes = held.take()
    }
    const length = Math.max(0, Math.min(until, this.next) - from)
    if (length < bytes.length) held.add(bytes.subarray(length))
    this.from = from + length
    const due = splices.findIndex(({ start }) => start >= this.from)
    const applied = splices.splice(0, due === -1 ? splices.length : due)
    return spliceBytes(
      bytes.subarray(0, length),
      applied.map(({ end, insert, start }) => ({ start: start - from, end: end - from, insert }))
    )
  }
}

const nothing = new Uint8Array(0)

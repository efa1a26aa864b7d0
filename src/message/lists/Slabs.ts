/** Large buffers that are used again and again. */

const smallest = 65_536

/**
 * Lends buffers, and keeps those that are given back for the next: lists that are held until they are whole would
 * otherwise keep the garbage collector busy.
 */
export class Slabs {
  private readonly idle: Array<Uint8Array> = []
  private idleBytes = 0
  private readonly maxIdleBytes: number

  /** @param maxIdleBytes how much memory is kept that nobody uses */
  constructor(maxIdleBytes: number) {
    this.maxIdleBytes = maxIdleBytes
  }

  /** A buffer of at least this length; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    const fitting = this.idle.findIndex((slab) => slab.length >= length)
    const [slab] = fitting === -1 ? [] : this.idle.splice(fitting, 1)
    if (slab !== undefined) {
      this.idleBytes -= slab.length
      return slab
    }
    let size = smallest
    while (size < length) size *= 2
    return new Uint8Array(size)
  }

  /** Gives back a buffer that nobody looks at any more. */
  give(slab: Uint8Array): void {
    if (this.idleBytes + slab.length > this.maxIdleBytes) return
    this.idle.push(slab)
    this.idleBytes += slab.length
  }
}

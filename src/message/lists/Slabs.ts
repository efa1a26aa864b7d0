/** Large buffers that are reused. */

const smallest = 65_536

/**
 * Lends buffers, and keeps returned ones for later use: otherwise lists that are held until they are complete would
 * keep the garbage collector busy.
 */
export class Slabs {
  private readonly idle: Array<Uint8Array> = []
  private idleBytes = 0
  private readonly maxIdleBytes: number

  /** @param maxIdleBytes how much unused memory is kept */
  constructor(maxIdleBytes: number) {
    this.maxIdleBytes = maxIdleBytes
  }

  /** Returns a buffer of at least this length, with arbitrary contents. */
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

  /** Puts a buffer back into the pool, once it is no longer used. */
  give(slab: Uint8Array): void {
    if (this.idleBytes + slab.length > this.maxIdleBytes) return
    this.idle.push(slab)
    this.idleBytes += slab.length
  }
}

/** A buffer of bytes that are held back. */
const nothing: Uint8Array = new Uint8Array(0)

/** A growing buffer: many small pieces cost no more than one piece of their total size. */
export class HeldBytes {
  length = 0
  private bytes = nothing

  add(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.bytes.length, 256))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(bytes, this.length)
    this.length = length
  }

  /** Drops all but the first `length` bytes. */
  truncate(length: number): void {
    this.length = length
  }

  /** Returns all held bytes; later bytes go to a new buffer. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = nothing
    this.length = 0
    return taken
  }
}

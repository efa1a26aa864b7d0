/** Bytes that wait. */
const nothing: Uint8Array = new Uint8Array(0)

/** Bytes in a buffer of their own that grows: pieces of one byte each cost no more than their sum. */
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

  /** Forgets all but the first `length` bytes. */
  truncate(length: number): void {
    this.length = length
  }

  /** All that is held; what is added later is held in another buffer. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = nothing
    this.length = 0
    return taken
  }
}

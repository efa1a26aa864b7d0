/** Makes up for what the component's JavaScript engine lacks, and for what brings it down. */

/**
 * Adds what the engine lacks.
 *
 * A function, not a module with effects: bundlers leave those out of this package.
 */
export const completeEngine = (): void => {
  URL.canParse ??= (url, base) => {
    try {
      return new URL(url, base) instanceof URL
    } catch {
      return false
    }
  }

  // The engine takes a chunk's whole buffer away when it writes the chunk: another view of that buffer is gone as well.
  const { enqueue } = ReadableStreamDefaultController.prototype
  Object.assign(ReadableStreamDefaultController.prototype, {
    enqueue(this: ReadableStreamDefaultController<unknown>, chunk: unknown) {
      const isPart = chunk instanceof Uint8Array && chunk.byteLength < chunk.buffer.byteLength
      enqueue.call(this, isPart ? chunk.slice() : chunk)
    }
  })
}

/**
 * The engine's `fetch` without a way to abort it: an aborted request stays in the list of what the engine waits for, and
 * the next look at that list is a trap. What nobody waits for any more ends with the instance, and that with its request.
 */
export const steadyFetch: typeof globalThis.fetch = (input, init) => fetch(input, { ...init, signal: null })

/** Workarounds for missing features of the component's JavaScript engine, and for its crashes. */

/**
 * Adds what the engine lacks.
 *
 * A function, not a module with side effects: bundlers remove those from this package.
 */
export const completeEngine = (): void => {
  URL.canParse ??= (url, base) => {
    try {
      return new URL(url, base) instanceof URL
    } catch {
      return false
    }
  }

  // The engine detaches a chunk's whole buffer when it writes the chunk, which breaks other views of that buffer.
  const { enqueue } = ReadableStreamDefaultController.prototype
  Object.assign(ReadableStreamDefaultController.prototype, {
    enqueue(this: ReadableStreamDefaultController<unknown>, chunk: unknown) {
      const isPart = ArrayBuffer.isView(chunk) && chunk.byteLength < chunk.buffer.byteLength
      enqueue.call(this, isPart ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice() : chunk)
    }
  })
}

/**
 * The engine's `fetch` without a way to abort it: an aborted request stays in the engine's list of pending operations,
 * and the next access to that list traps. A request that is no longer needed ends with the instance, which ends with its
 * request.
 */
export const steadyFetch: typeof globalThis.fetch = (input, init) => fetch(input, { ...init, signal: null })

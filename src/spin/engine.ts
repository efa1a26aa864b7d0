/**
 * Makes up for what the component's JavaScript engine lacks, and for what brings it down.
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

  // An aborted request stays in the list of what the engine waits for, and the next look at that list is a trap. What
  // nobody waits for any more ends with the instance, and that with its request.
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => fetch(input, { ...init, signal: null })
}

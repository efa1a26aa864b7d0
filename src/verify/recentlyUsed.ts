/** A cache by name. If it is full, the oldest value that was not used since the last eviction check is evicted. */
export interface RecentlyUsed<A> {
  readonly get: (name: string) => A | undefined
  readonly set: (name: string, value: A) => void
  readonly remove: (name: string) => void
}

interface Entry<A> {
  readonly value: A
  isUsed: boolean
}

/**
 * Builds a cache for `capacity` values.
 *
 * This is the "second chance" algorithm: a use only sets a mark and moves nothing. V8 keeps copying a `Map` that
 * changes with every request, and the old copies keep their values alive.
 */
export const makeRecentlyUsed = <A>(capacity: number): RecentlyUsed<A> => {
  // A `Map` keeps its entries in insertion order.
  const entries = new Map<string, Entry<A>>()

  const makeRoom = (): void => {
    for (const [name, entry] of entries) {
      if (entries.size < capacity) return
      entries.delete(name)
      // Moved to the end, without the mark: if the value is still unused when the loop reaches it again, it is evicted.
      if (entry.isUsed) entries.set(name, { value: entry.value, isUsed: false })
    }
  }

  return {
    get: (name) => {
      const entry = entries.get(name)
      if (entry === undefined) return undefined
      entry.isUsed = true
      return entry.value
    },
    set: (name, value) => {
      entries.delete(name)
      makeRoom()
      entries.set(name, { value, isUsed: false })
    },
    remove: (name) => {
      entries.delete(name)
    }
  }
}

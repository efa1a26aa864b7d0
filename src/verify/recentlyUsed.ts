/** Values by name. When there are too many, the oldest one goes that was not used since it was last passed over. */
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
 * Makes room for `capacity` values.
 *
 * "Second chance": a use sets a mark and moves nothing. A `Map` that changes with every request is copied all the time,
 * and its old copies keep alive what they held.
 */
export const makeRecentlyUsed = <A>(capacity: number): RecentlyUsed<A> => {
  // A `Map` keeps the order in which its entries were set.
  const entries = new Map<string, Entry<A>>()

  const makeRoom = (): void => {
    for (const [name, entry] of entries) {
      if (entries.size < capacity) return
      entries.delete(name)
      // To the end, without the mark: the loop comes by again at worst once, and then it goes.
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

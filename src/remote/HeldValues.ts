interface Entry<A> {
  readonly value: A
  readonly dropped: (() => void) | undefined
  holders: number
}

/** A value, and the finalizer that runs when it is dropped. */
export interface Made<A> {
  readonly value: A
  readonly dropped?: (() => void) | undefined
}

export interface Holder<A> {
  /** Returns the value of this name, and keeps it until `release`. A value requested after that is not kept. */
  readonly get: (name: string, make: () => Made<A>) => A
  readonly release: () => void
}

/** Values by name. Each is kept as long as one of its holders uses it. */
export class HeldValues<A> {
  readonly #entries = new Map<string, Entry<A>>()

  holder(): Holder<A> {
    const held = new Set<string>()
    let isReleased = false
    return {
      get: (name, make) => {
        const known = this.#entries.get(name)
        if (known !== undefined && held.has(name)) return known.value
        if (isReleased) return (known ?? make()).value
        const entry: Entry<A> = known ?? { dropped: undefined, ...make(), holders: 0 }
        this.#entries.set(name, entry)
        entry.holders++
        held.add(name)
        return entry.value
      },
      release: () => {
        isReleased = true
        for (const name of held) {
          const entry = this.#entries.get(name)
          if (entry === undefined || --entry.holders > 0) continue
          this.#entries.delete(name)
          entry.dropped?.()
        }
        held.clear()
      }
    }
  }
}

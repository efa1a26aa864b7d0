/** The existing series of one metric, by their labels. */
export class SeriesCache<A> {
  readonly #series = new Map<string, A>()
  readonly #max: number

  /** @param max the maximum number of series */
  constructor(max: number) {
    this.#max = max
  }

  /** Returns the series with a key; creates it if there is room, otherwise returns the series for the rest. */
  get(key: string, make: () => A, rest: () => A): A {
    const present = this.#series.get(key)
    if (present !== undefined) return present
    if (this.#series.size >= this.#max) return rest()
    const made = make()
    this.#series.set(key, made)
    return made
  }
}

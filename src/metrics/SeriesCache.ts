/** The series of one metric that were made so far, by their labels. */
export class SeriesCache<A> {
  readonly #series = new Map<string, A>()
  readonly #most: number

  /** @param most how many there may be */
  constructor(most: number) {
    this.#most = most
  }

  /** Returns the series with a key; creates it if there is room, otherwise returns the series for the rest. */
  get(key: string, make: () => A, rest: () => A): A {
    const present = this.#series.get(key)
    if (present !== undefined) return present
    if (this.#series.size >= this.#most) return rest()
    const made = make()
    this.#series.set(key, made)
    return made
  }
}

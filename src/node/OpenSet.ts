/**
 * The things that are open now, so that a shutdown can end them.
 *
 * Not a `Set`: one that changes with every request leaves its former tables behind, which keep what they held from being
 * collected, and makes each collection several times as long.
 */
export class OpenSet<A> {
  readonly #slots: Array<A | undefined> = []
  readonly #free: Array<number> = []

  /** How many are open. */
  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Adds a thing; the result is the place to remove it from. */
  add(thing: A): number {
    const place = this.#free.pop() ?? this.#slots.length
    this.#slots[place] = thing
    return place
  }

  remove(place: number): void {
    this.#slots[place] = undefined
    this.#free.push(place)
  }

  /** Those that are open now. */
  now(): ReadonlyArray<A> {
    return this.#slots.filter((thing) => thing !== undefined)
  }
}

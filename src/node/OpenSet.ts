/**
 * A set of open connections, requests or the like, so that a shutdown can end them.
 *
 * Not a `Set`: one that changes with every request leaves old tables behind, which keep their members alive and make
 * each garbage collection several times as long.
 */
export class OpenSet<A> {
  readonly #slots: Array<A | undefined> = []
  readonly #free: Array<number> = []

  /** Called whenever the last open thing has ended, if set. */
  onEmpty: (() => void) | undefined

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Adds a thing. Returns the index to remove it by. */
  add(thing: A): number {
    const place = this.#free.pop() ?? this.#slots.length
    this.#slots[place] = thing
    return place
  }

  remove(place: number): void {
    this.#slots[place] = undefined
    this.#free.push(place)
    if (this.onEmpty !== undefined && this.size === 0) this.onEmpty()
  }

  now(): ReadonlyArray<A> {
    return this.#slots.filter((thing) => thing !== undefined)
  }
}

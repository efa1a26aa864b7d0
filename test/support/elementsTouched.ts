import * as Effect from "effect/Effect"

const iteratorPrototypes: ReadonlyArray<{ next: () => unknown }> = [[], new Map(), new Set()].map((things) =>
  // The prototypes of the iterators that loops and spreads use; they have no global name.
  Object.getPrototypeOf(things[Symbol.iterator]()) as { next: () => unknown }
)

const arrays: object = Array.prototype

const copying = ["concat", "filter", "flatMap", "indexOf", "map", "slice", "splice", "unshift"] as const

/**
 * Counts the elements of arrays, maps and sets that are read or copied while an effect runs. Code of Node itself does
 * not count, because it does not use these prototypes.
 */
export const elementsTouched = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> => {
  let touched = 0
  const patch = Effect.sync(() => {
    const restores = copying.map((name) => {
      const own = Array.prototype[name]
      const counted = function(this: Array<unknown>, ...args: ReadonlyArray<unknown>): unknown {
        touched += this.length
        return Reflect.apply(own, this, args)
      }
      Object.defineProperty(arrays, name, { value: counted, configurable: true, writable: true })
      return () => Object.defineProperty(arrays, name, { value: own, configurable: true, writable: true })
    })
    const iterators = iteratorPrototypes.map((prototype) => {
      const own = prototype.next
      prototype.next = function(this: unknown) {
        touched++
        return Reflect.apply(own, this, [])
      }
      return () => {
        prototype.next = own
      }
    })
    return [...restores, ...iterators]
  })
  return Effect.acquireUseRelease(
    patch,
    () => Effect.map(effect, () => touched),
    (restores) => Effect.sync(() => restores.forEach((restore) => void restore()))
  )
}

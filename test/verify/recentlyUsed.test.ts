import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { makeRecentlyUsed } from "../../src/verify/recentlyUsed.ts"

const name = Schema.Literals(["a", "b", "c", "d", "e", "f"])

const steps = Schema.Array(
  Schema.Struct({ kind: Schema.Literals(["get", "get", "set", "set", "remove"]), name })
).check(Schema.isMaxLength(60))

const capacity = 3

/** The same in the plainest way: a queue whose head goes, or goes to the end once if it was used. */
const makeModel = () => {
  let queue: ReadonlyArray<{ readonly name: string; readonly value: number; readonly used: boolean }> = []
  return {
    get: (name: string): number | undefined => {
      queue = queue.map((entry) => entry.name === name ? { ...entry, used: true } : entry)
      return queue.find((entry) => entry.name === name)?.value
    },
    set: (name: string, value: number): void => {
      queue = queue.filter((entry) => entry.name !== name)
      while (queue.length >= capacity) {
        const [head, ...rest] = queue
        queue = head?.used === true ? [...rest, { ...head, used: false }] : rest
      }
      queue = [...queue, { name, value, used: false }]
    },
    remove: (name: string): void => {
      queue = queue.filter((entry) => entry.name !== name)
    }
  }
}

describe("recently used values", () => {
  it("fill the capacity, and those that are used stay", () => {
    const values = makeRecentlyUsed<number>(3)
    for (const [index, key] of ["a", "b", "c"].entries()) values.set(key, index)
    values.get("a")
    values.set("d", 3)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(values.get), [0, undefined, 2, 3])
    values.set("c", 7)
    values.remove("a")
    assert.deepStrictEqual(["a", "c", "d"].map(values.get), [undefined, 7, 3])
  })

  it("make room even when all of them were used, the oldest first", () => {
    const values = makeRecentlyUsed<number>(3)
    for (const [index, key] of ["a", "b", "c"].entries()) values.set(key, index)
    for (const key of ["a", "b", "c"]) values.get(key)
    values.set("d", 3)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(values.get), [undefined, 1, 2, 3])
  })

  it.effect.prop(
    "are found while there is room, and then are evicted in second-chance order",
    { steps },
    ({ steps }) =>
      Effect.sync(() => {
        const values = makeRecentlyUsed<number>(capacity)
        const model = makeModel()
        for (const [index, { kind, name }] of steps.entries()) {
          if (kind === "get") assert.strictEqual(values.get(name), model.get(name))
          else if (kind === "set") {
            values.set(name, index)
            model.set(name, index)
          } else {
            values.remove(name)
            model.remove(name)
          }
        }
        for (const key of name.literals) assert.strictEqual(values.get(key), model.get(key), key)
      })
  )
})

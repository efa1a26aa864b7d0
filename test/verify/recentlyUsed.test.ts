import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { makeRecentlyUsed } from "../../src/verify/recentlyUsed.ts"

const name = Schema.Literals(["a", "b", "c", "d", "e", "f"])

const steps = Schema.Array(
  Schema.Struct({ kind: Schema.Literals(["get", "get", "set", "set", "remove"]), name })
).check(Schema.isMaxLength(60))

describe("recently used values", () => {
  it("are as many as there is room for, and those that are used stay", () => {
    const values = makeRecentlyUsed<number>(3)
    for (const [index, key] of ["a", "b", "c"].entries()) values.set(key, index)
    values.get("a")
    values.set("d", 3)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(values.get), [0, undefined, 2, 3])
    values.set("c", 7)
    values.remove("a")
    assert.deepStrictEqual(["a", "c", "d"].map(values.get), [undefined, 7, 3])
  })

  it("make room also when all of them were used, the oldest first", () => {
    const values = makeRecentlyUsed<number>(3)
    for (const [index, key] of ["a", "b", "c"].entries()) values.set(key, index)
    for (const key of ["a", "b", "c"]) values.get(key)
    values.set("d", 3)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(values.get), [undefined, 1, 2, 3])
  })

  it.effect.prop(
    "are never more than there is room for, and never another's or an older one",
    { steps },
    ({ steps }) =>
      Effect.sync(() => {
        const values = makeRecentlyUsed<number>(3)
        const latest = new Map<string, number>()
        for (const [index, { kind, name }] of steps.entries()) {
          if (kind === "get") {
            assert.include([undefined, latest.get(name)], values.get(name))
          } else if (kind === "set") {
            values.set(name, index)
            latest.set(name, index)
            assert.strictEqual(values.get(name), index)
          } else {
            values.remove(name)
            latest.delete(name)
          }
        }
        assert.isAtMost(name.literals.filter((key) => values.get(key) !== undefined).length, 3)
      })
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  CarriedOver,
  carryOver,
  carryOverValue,
  CurrentHolding,
  type Holding,
  holdingOf
} from "../../src/config/carryOver.ts"

const within = (holding: Holding | undefined) => Effect.provideService(CurrentHolding, holding)

const key = (text: string) => ["url", Redacted.make(text)]

const make = () => ({})

describe("what a configuration takes over", () => {
  it.effect("RELOAD-05 is what was built from equal settings, until no configuration uses it", () =>
    Effect.gen(function*() {
      const carried = new CarriedOver()
      const closed: Array<string> = []
      const open = (name: string) =>
        Effect.acquireRelease(Effect.sync(() => ({ name })), () => Effect.sync(() => void closed.push(name)))
      const [first, second, third] = [carried.hold(), carried.hold(), carried.hold()]
      const one = yield* within(first)(carryOver("client", key("a"), open("one")))
      assert.strictEqual(yield* within(second)(carryOver("client", key("a"), open("two"))), one)
      const other = yield* within(third)(carryOver("client", key("b"), open("three")))
      assert.notStrictEqual(other, one)
      yield* first.release
      assert.deepStrictEqual(closed, [])
      yield* second.release
      assert.deepStrictEqual(closed, ["one"])
      yield* third.release
      assert.deepStrictEqual([closed, carried.size], [["one", "three"], 0])
    }))

  it.effect("RELOAD-05 is never that of another server, and nothing where nothing is carried over", () =>
    Effect.gen(function*() {
      const holding = new CarriedOver().hold()
      const value = yield* within(holdingOf("a", holding))(carryOverValue("state", undefined, make))
      assert.strictEqual(yield* within(holdingOf("a", holding))(carryOverValue("state", undefined, make)), value)
      assert.notStrictEqual(yield* within(holdingOf("b", holding))(carryOverValue("state", undefined, make)), value)
      assert.notStrictEqual(yield* carryOverValue("state", undefined, make), value)
    }))

  it.effect("RELOAD-05 is not what could not be built, which is closed", () =>
    Effect.gen(function*() {
      const carried = new CarriedOver()
      let closed = 0
      const failing = Effect.andThen(
        Effect.acquireRelease(Effect.void, () => Effect.sync(() => void closed++)),
        Effect.fail("unusable")
      )
      assert.strictEqual(yield* Effect.flip(within(carried.hold())(carryOver("client", 1, failing))), "unusable")
      assert.deepStrictEqual([closed, carried.size], [1, 0])
    }))
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { lookMillis, settleMillis, watchFiles } from "../../../src/node/reload/watchFiles.ts"

describe("watched files", () => {
  it.effect("RELOAD-01 are read once they have stayed the same for a moment, once for each change", () =>
    Effect.gen(function*() {
      const file = { text: "one" }
      let reads = 0
      const looks = Effect.sync(() => file.text)
      yield* Effect.forkScoped(watchFiles(() => ["file"], Effect.sync(() => void reads++), () => looks))
      // They may have changed since the start.
      yield* TestClock.adjust(settleMillis)
      assert.strictEqual(reads, 1)
      yield* TestClock.adjust(10 * lookMillis)
      assert.strictEqual(reads, 1)
      file.text = "half"
      yield* TestClock.adjust(lookMillis)
      file.text = "whole"
      yield* TestClock.adjust(settleMillis)
      assert.strictEqual(reads, 1)
      yield* TestClock.adjust(settleMillis)
      assert.strictEqual(reads, 2)
      yield* TestClock.adjust(10 * lookMillis)
      assert.strictEqual(reads, 2)
    }))

  it.effect("RELOAD-01 that change all the time are read nevertheless", () =>
    Effect.gen(function*() {
      let looked = 0
      let reads = 0
      const looks = Effect.sync(() => String(looked++))
      yield* Effect.forkScoped(watchFiles(() => ["file"], Effect.sync(() => void reads++), () => looks))
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(reads, 2)
      assert.isAtMost(reads, 7)
    }))
})

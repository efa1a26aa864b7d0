import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import type { Command } from "../../src/testing/jwksCache/Command.ts"
import { runCommands } from "../../src/testing/jwksCache/runCommands.ts"
import * as JwksCacheTest from "../../src/testing/JwksCacheTest.ts"

JwksCacheTest.suite("JwksCache.layer", JwksCache.layer)

describe("a history in which the store hangs while an instance stops", () => {
  const askFirst: Command = { _tag: "Ask", instance: 0, key: 0, count: 1, leaves: false }
  /** A background fetch, whose response comes when the store has begun to hang. */
  const hangingFetch: ReadonlyArray<Command> = [
    { _tag: "Phase", instance: 0 },
    { _tag: "SetStore", behaviour: { _tag: "Silent" } }
  ]

  it.effect("goes on after a restart", () =>
    Effect.map(
      runCommands(JwksCache.layer, [...hangingFetch, { _tag: "Restart", instance: 0 }, askFirst]),
      ({ asks, fetches }) => {
        assert.deepStrictEqual(asks.map(({ outcome }) => outcome), [{ _tag: "Key", name: "material-0" }])
        assert.strictEqual(fetches.length, 2)
      }
    ))

  it.effect("ends", () =>
    Effect.map(
      runCommands(JwksCache.layer, [...hangingFetch, { _tag: "Wait", seconds: 0 }]),
      ({ fetches }) => assert.deepStrictEqual(fetches.map(({ good }) => good), [true])
    ))
})

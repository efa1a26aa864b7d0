import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import * as storedProbe from "../../src/spin/storedProbe.ts"
import type { ProviderReach } from "../../src/verify/opaque/providerRejection.ts"
import { SharedProbe } from "../../src/verify/opaque/Reachability.ts"

describe("probes on Spin", () => {
  it.effect("are made by one instance in 10 seconds for all that share the store, regardless of the result", () =>
    Effect.gen(function*() {
      const store = yield* KeyValueStore.KeyValueStore
      let asked = 0
      let found: ProviderReach = "ready"
      const probe = Effect.sync(() => {
        asked++
        return { reach: found, detail: "why" }
      })
      /** The result of a new instance. */
      const look = Effect.gen(function*() {
        return (yield* (yield* SharedProbe)("people", probe)).reach
      }).pipe(
        Effect.provide(storedProbe.layer.pipe(Layer.provide(Layer.succeed(KeyValueStore.KeyValueStore, store))))
      )
      for (const reach of ["ready", "unavailable", "refused", "ready"] as const) {
        found = reach
        const before = asked
        for (let instance = 0; instance < 20; instance++) assert.strictEqual(yield* look, reach)
        assert.strictEqual(asked, before + 1)
        yield* TestClock.adjust("9999 millis")
        assert.strictEqual(yield* look, reach)
        assert.strictEqual(asked, before + 1)
        yield* TestClock.adjust("10001 millis")
      }
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))
})

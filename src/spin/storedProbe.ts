import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { own } from "../remote/JsonObject.ts"
import { providerLimits } from "../remote/providerLimits.ts"
import { type Found, type Probe, SharedProbe } from "../verify/opaque/Reachability.ts"
import * as StoredValue from "./StoredValue.ts"

// A value is asked for again so long before its end; what is left is for how long it serves.
const freshMillis = providerLimits.aheadMillis + 10_000

const reaches: ReadonlySet<unknown> = new Set(["unavailable", "refused"])

const make = Effect.map(KeyValueStore.KeyValueStore, (store) => (provider: string, probe: Probe): Probe => {
  const fetch = Effect.map(probe, ({ detail, reach }) => ({ value: { detail, reach }, freshMillis }))
  const stored = StoredValue.make(store, `reach:${provider}`, () => fetch, () => undefined)
  return stored.current.pipe(
    Effect.map(({ value }): Found => {
      const [detail, reach] = [own(value, "detail"), own(value, "reach")]
      return {
        // Of three words, one of which it is not where it is one of the two.
        reach: reaches.has(reach) ? reach as Found["reach"] : "ready",
        detail: typeof detail === "string" ? detail : ""
      }
    }),
    Effect.orElseSucceed((): Found => ({ reach: "unavailable", detail: "asked not long ago" }))
  )
})

/** Probes for instances that live for one request: what one has found stands in the store for 10 seconds. */
export const layer = Layer.effect(SharedProbe, make)

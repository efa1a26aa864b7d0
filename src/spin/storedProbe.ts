import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import { type DocumentFormat, makeDocumentStore } from "../remote/documentStore.ts"
import { own } from "../remote/JsonObject.ts"
import { providerLimits } from "../remote/providerLimits.ts"
import * as RemoteValue from "../remote/RemoteValue.ts"
import { storeEntries } from "../remote/SharedEntries.ts"
import { type Found, type Probe, SharedProbe } from "../verify/opaque/Reachability.ts"

// How long before its expiry a value is fetched again. Until then it is used.
const freshMillis = providerLimits.aheadMillis + 10_000

const reaches: ReadonlySet<unknown> = new Set(["unavailable", "refused"])

const format: DocumentFormat<Found> = {
  kind: "reach",
  encode: (found) => ({ ...found }),
  decode: (value) => {
    const [detail, reach] = [own(value, "detail"), own(value, "reach")]
    return Effect.succeed({
      // One of three words: `ready` unless it is one of the other two.
      reach: reaches.has(reach) ? reach as Found["reach"] : "ready",
      detail: typeof detail === "string" ? detail : ""
    })
  },
  sharesFailures: true
}

const make = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const store = yield* storeEntries
  return (provider: string, probe: Probe): Probe => {
    const { current } = RemoteValue.make<Found, undefined>({
      scope,
      locate: Effect.succeed(provider),
      fetch: () => Effect.map(probe, (value) => ({ value, freshMillis })),
      limits: providerLimits,
      store: makeDocumentStore(store, format),
      backedOff: () => undefined,
      sharedIo: false
    })
    return current.pipe(
      Effect.map(({ value }) => value),
      Effect.orElseSucceed((): Found => ({ reach: "unavailable", detail: "probed not long ago" }))
    )
  }
})

/** Probes for instances that live for one request: the result of a probe is stored for 10 seconds. */
export const layer: Layer.Layer<never, never, KeyValueStore.KeyValueStore> = Layer.effect(SharedProbe, make)

import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { reachOf } from "../keys/JwksSource.ts"
import { MetadataUnavailable, ProviderMetadata } from "../keys/ProviderMetadata.ts"
import * as StoredValue from "./StoredValue.ts"

// How long a document serves others. What its issuer says about that ends with the instance that asked.
const freshMillis = 300_000

const make = Effect.gen(function*() {
  const metadata = yield* ProviderMetadata.make
  const store = yield* KeyValueStore.KeyValueStore
  return ProviderMetadata.of({
    document: (source) =>
      Effect.map(
        StoredValue.make(
          store,
          ["metadata:" + source.issuer, ...reachOf(source)].join(" "),
          () => Effect.map(metadata.document(source), (value) => ({ value, freshMillis })),
          () => new MetadataUnavailable({ detail: "the last fetch failed not long ago" })
        ).current,
        ({ value }) => value
      )
  })
})

/** `ProviderMetadata` for instances that live for one request: documents stand in the store for 5 minutes. */
export const layer = Layer.effect(ProviderMetadata, make)

import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { DocumentName } from "../config/sources/documentName.ts"
import { isJsonObject, type JsonObject, own } from "../remote/JsonObject.ts"
import {
  type LocatedMetadata,
  type MetadataSource,
  MetadataUnavailable,
  ProviderMetadata
} from "../remote/ProviderMetadata.ts"
import { reachOf } from "../remote/ProviderReach.ts"
import * as StoredValue from "./StoredValue.ts"

// How long a document serves others. What its issuer says about that ends with the instance that asked.
const freshMillis = 300_000

/** How long it serves others that there is no document: as long as the least that one is fresh. */
const absentMillis = 60_000

const unknown = new MetadataUnavailable({ detail: "the last fetch failed not long ago" })

/** What stands in the store, which anybody may have written, as what was found or why nothing was. */
const read = (value: JsonObject): Effect.Effect<LocatedMetadata, MetadataUnavailable> => {
  const document = own(value, "document")
  const url = own(value, "url")
  const absent = own(value, "absent")
  if (typeof url === "string" && isJsonObject(document)) return Effect.succeed({ url, document })
  return Effect.fail(
    typeof absent === "string" ? new MetadataUnavailable({ detail: absent, isAbsent: true }) : unknown
  )
}

const make = Effect.gen(function*() {
  const findNow = yield* ProviderMetadata.makeFind
  const store = yield* KeyValueStore.KeyValueStore

  const find = (source: MetadataSource, preferred: DocumentName) =>
    StoredValue.make(
      store,
      [`metadata:${preferred}:${source.issuer}`, source.discoveryUrl ?? "", ...reachOf(source)].join(" "),
      (previous) =>
        findNow(source, preferred).pipe(
          Effect.map(({ document, url }): StoredValue.Fetched => ({ value: { url, document }, freshMillis })),
          Effect.catchIf(
            // A document that was there serves until it is too old: it may be back soon.
            ({ isAbsent }) => isAbsent === true && (previous === undefined || own(previous, "document") === undefined),
            ({ detail }) => Effect.succeed({ value: { absent: detail }, freshMillis: absentMillis })
          )
        ),
      () => unknown
    ).current.pipe(Effect.flatMap(({ value }) => read(value)))

  return ProviderMetadata.of({
    document: (source) => Effect.map(find(source, "openid-configuration"), ({ document }) => document),
    location: (source, preferred) => Effect.map(find(source, preferred), ({ url }) => url)
  })
})

/**
 * `ProviderMetadata` for instances that live for one request: documents stand in the store for 5 minutes, and that there
 * is none for 1 minute.
 */
export const layer = Layer.effect(ProviderMetadata, make)

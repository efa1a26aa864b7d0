import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { JwksCache } from "../keys/JwksCache.ts"
import { type JwksSource, KeysUnavailable, placeOf } from "../keys/JwksSource.ts"
import { inTime, makeKeyFetch, reportFailure, reportSkipped, unknownKey } from "../keys/keyFetch.ts"
import * as KeySet from "../keys/KeySet.ts"
import { own } from "../remote/JsonObject.ts"
import { reachOf } from "../remote/ProviderReach.ts"
import { NoteKeys } from "./NoteKeys.ts"
import * as StoredValue from "./StoredValue.ts"

/** Of the entry. With the allowed hosts, so that keys that may not be fetched are not taken from the store either. */
const entryOf = (source: JwksSource): string => ["jwks:" + placeOf(source), ...reachOf(source)].join(" ")

const encoder = new TextEncoder()

const membersOf = (value: StoredValue.Fetched["value"]): ReadonlyArray<unknown> => {
  const keys = own(value, "keys")
  return Array.isArray(keys) ? keys : []
}

const make = Effect.gen(function*() {
  const { ask, locate } = yield* makeKeyFetch
  const store = yield* KeyValueStore.KeyValueStore
  const { digestHex } = yield* Digest.Digest

  const fetch = Effect.fnUntraced(
    function*(
      source: JwksSource,
      previous: StoredValue.Fetched["value"] | undefined
    ): Effect.fn.Return<StoredValue.Fetched, KeysUnavailable> {
      const { freshMillis, keys } = yield* ask(source, yield* locate(source))
      const before = previous === undefined ? undefined : KeySet.fromJwks(membersOf(previous))
      yield* reportSkipped(source, KeySet.fromJwks(keys), before)
      const digest = yield* digestHex(Digest.sha256, encoder.encode(JSON.stringify(keys)))
      return { value: { keys, digest }, freshMillis }
    },
    inTime,
    reportFailure
  )

  const stored = (source: JwksSource) =>
    StoredValue.make(
      store,
      entryOf(source),
      (previous) => fetch(source, previous),
      () => new KeysUnavailable({ detail: "the last fetch failed not long ago" })
    )

  return JwksCache.of({
    keyFor: Effect.fnUntraced(function*(source, header) {
      const document = stored(source)
      const find = Effect.fnUntraced(function*(value: StoredValue.Fetched["value"]) {
        const key = yield* KeySet.find(KeySet.fromJwks(membersOf(value)), header)
        const digest = own(value, "digest")
        if (typeof digest === "string") (yield* NoteKeys)({ entry: entryOf(source), digest })
        return key
      })
      const { latest, value } = yield* document.current
      return yield* find(value).pipe(
        Effect.catchTag("NoFittingKey", (failure) => {
          // More keys would not make an ambiguous choice less so.
          if (failure.reason === "Ambiguous") return Effect.fail(failure)
          return latest
            ? Effect.andThen(document.noteMiss, Effect.fail(failure))
            : Effect.flatMap(document.refetched, find)
        }),
        Effect.catchTag("NoFittingKey", (failure) => Effect.fail(unknownKey(failure)))
      )
    }),
    // An instance is made for one request, which may not need the keys.
    prefetch: () => Effect.void,
    phase: Effect.fnUntraced(function*(source) {
      const phase = yield* stored(source).phase
      return { phase, usable: phase === "fresh" || phase === "refreshing" || phase === "stale" }
    })
  })
})

/**
 * `JwksCache` for instances that live for one request: what is known about an issuer's keys stands in the store, so that
 * the limits hold over all instances that share it.
 *
 * The rules are those of `JwksCache.layer`. Nothing is fetched ahead of need, and readiness waits for the keys.
 */
export const layer = Layer.effect(JwksCache, make)

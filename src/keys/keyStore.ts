/**
 * Key sets in the host's key-value store, shared between the instances that have the same store.
 *
 * Entry `jwks:<uri>` = `{"uri", "jwks": {"keys": […]}, "expires_at": <seconds since 1970>}`. The store is a help, never
 * a need: it may fail, be slow, or hold what somebody else wrote there.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import { isJsonObject, type JsonObject, own, parseJsonObject } from "./JsonObject.ts"
import { providerLimits } from "./providerLimits.ts"

/** A key set that was fetched some time ago, and for how long it is still fresh. */
export interface StoredKeys {
  readonly keys: ReadonlyArray<unknown>
  readonly freshMillis: number
}

const patience = "500 millis"

// No answer of a provider is fresh for longer, so an entry that says so is not ours.
const maxFreshMillis = 86_400_000

// What a provider may send, and the frame around it.
const maxLength = 1_100_000

const entryName = (uri: string): string => `jwks:${uri}`

const readEntry = (entry: JsonObject, uri: string, now: number): StoredKeys | undefined => {
  const jwks = own(entry, "jwks")
  const keys = isJsonObject(jwks) ? own(jwks, "keys") : undefined
  const expiresAt = own(entry, "expires_at")
  if (own(entry, "uri") !== uri || !Array.isArray(keys) || typeof expiresAt !== "number") return undefined
  const freshMillis = expiresAt * 1000 - now
  return freshMillis > providerLimits.aheadMillis && freshMillis <= maxFreshMillis ? { keys, freshMillis } : undefined
}

/** Bounds an operation, and makes its failure an answer that is missing. */
const ignoring = <A>(operation: string, effect: Effect.Effect<A, KeyValueStore.KeyValueStoreError>) =>
  effect.pipe(
    Effect.timeout(patience),
    Effect.catchCause(() =>
      Effect.as(Effect.logWarning(`The key-value store failed: ${operation} of a key set`), undefined)
    )
  )

/** Builds the two operations; neither ever fails or takes longer than half a second. */
export const makeKeyStore = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore

  return {
    /** A key set of this URI that need not be fetched again yet, if the store has one. What it holds is to be judged like a provider's answer. */
    read: Effect.fnUntraced(function*(uri: string) {
      const text = yield* ignoring("read", store.get(entryName(uri)))
      if (text === undefined || text.length > maxLength) return undefined
      const entry = Result.getOrUndefined(parseJsonObject(text))
      return entry === undefined ? undefined : readEntry(entry, uri, yield* Clock.currentTimeMillis)
    }),

    /** Keeps a key set for others. */
    write: Effect.fnUntraced(function*(uri: string, { freshMillis, keys }: StoredKeys) {
      const expiresAt = Math.floor(((yield* Clock.currentTimeMillis) + freshMillis) / 1000)
      const entry = JSON.stringify({ uri, jwks: { keys }, expires_at: expiresAt })
      yield* ignoring("write", store.set(entryName(uri), entry))
    })
  }
})

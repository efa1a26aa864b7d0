/**
 * Key sets in the host's key-value store, shared between the instances that have the same store.
 *
 * Entry `jwks:<uri>` = `{"uri", "jwks": {"keys": […]}, "expires_at": <seconds since 1970>}`, and `"extra_until"` (seconds)
 * if the set was fetched for what an earlier one lacked. The store is a help, never a need: it may fail, be slow, or hold
 * what somebody else wrote there.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import { isJsonObject, type JsonObject, own, parseJsonObject } from "../remote/JsonObject.ts"
import { providerLimits } from "../remote/providerLimits.ts"

/** A key set that was fetched some time ago, and for how long it is still fresh. */
export interface StoredKeys {
  readonly keys: ReadonlyArray<unknown>
  readonly freshMillis: number
  /** For how long nobody fetches it again for what it lacks. */
  readonly extraMillis: number
}

const patience = "500 millis"

// No answer of a provider is fresh for longer, so an entry that says so is not ours.
const maxFreshMillis = 86_400_000

// What a provider may send, and the frame around it.
const maxLength = 1_100_000

const entryName = (uri: string): string => `jwks:${uri}`

/** The entry that a source has written or read last. */
interface KnownEntry {
  readonly uri: string
  readonly expiresAt: number
}

const readEntry = (
  entry: JsonObject,
  uri: string,
  now: number
): (StoredKeys & Pick<KnownEntry, "expiresAt">) | undefined => {
  const jwks = own(entry, "jwks")
  const keys = isJsonObject(jwks) ? own(jwks, "keys") : undefined
  const expiresAt = own(entry, "expires_at")
  if (own(entry, "uri") !== uri || !Array.isArray(keys) || typeof expiresAt !== "number") return undefined
  const freshMillis = expiresAt * 1000 - now
  if (freshMillis <= providerLimits.aheadMillis || freshMillis > maxFreshMillis) return undefined
  const extraUntil = own(entry, "extra_until")
  const extraMillis = typeof extraUntil === "number" ? extraUntil * 1000 - now : 0
  return { keys, freshMillis, expiresAt, extraMillis: Math.min(Math.max(extraMillis, 0), providerLimits.extraMillis) }
}

/** Bounds an operation, and makes its failure an answer that is missing. */
const ignoring = <A>(operation: string, effect: () => Effect.Effect<A, KeyValueStore.KeyValueStoreError>) =>
  // Suspended: a host's store may throw where it should fail.
  Effect.suspend(effect).pipe(
    Effect.timeout(patience),
    Effect.catchCause(() =>
      Effect.as(Effect.logWarning(`The key-value store failed: ${operation} of a key set`), undefined)
    )
  )

/** Builds the two operations; neither ever fails or takes longer than half a second for each access. */
export const makeKeyStore = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore
  // One for each source.
  const known = new Map<string, KnownEntry>()

  return {
    /**
     * A key set of this URI that need not be fetched again yet, if the store has one that the source has not had before:
     * that has served its time, whatever the wall clock says. What it holds is to be judged like a provider's answer.
     */
    read: Effect.fnUntraced(function*(source: string, uri: string) {
      const text = yield* ignoring("read", () => store.get(entryName(uri)))
      if (text === undefined || text.length > maxLength) return undefined
      const entry = Result.getOrUndefined(parseJsonObject(text))
      const stored = entry === undefined ? undefined : readEntry(entry, uri, yield* Clock.currentTimeMillis)
      if (stored === undefined || stored.expiresAt === known.get(source)?.expiresAt) return undefined
      known.set(source, { uri, expiresAt: stored.expiresAt })
      return stored
    }),

    /** Keeps a key set for others, in place of the one that the source had elsewhere: stores need not forget by themselves. */
    write: Effect.fnUntraced(function*(source: string, uri: string, { extraMillis, freshMillis, keys }: StoredKeys) {
      const now = yield* Clock.currentTimeMillis
      const expiresAt = Math.floor((now + freshMillis) / 1000)
      const entry = JSON.stringify({
        uri,
        jwks: { keys },
        expires_at: expiresAt,
        ...(extraMillis > 0 && { extra_until: Math.ceil((now + extraMillis) / 1000) })
      })
      if (entry.length > maxLength) return
      const before = known.get(source)
      known.set(source, { uri, expiresAt })
      yield* ignoring("write", () => store.set(entryName(uri), entry))
      if (before !== undefined && before.uri !== uri) {
        yield* ignoring("removal", () => store.remove(entryName(before.uri)))
      }
    })
  }
})

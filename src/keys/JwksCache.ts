import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { perConfiguration } from "../config/perConfiguration.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeWaitingRoom } from "../fairness/waitingRoom.ts"
import { documentWaiters, providerLimits, tooManyWait } from "../remote/providerLimits.ts"
import { reachOf } from "../remote/ProviderReach.ts"
import { providerUrl } from "../remote/providerUrl.ts"
import type { Phase } from "../remote/remoteState.ts"
import * as RemoteValue from "../remote/RemoteValue.ts"
import { type JwksSource, KeysUnavailable, placeOf, type UnknownKey } from "./JwksSource.ts"
import { inTime, makeKeyFetch, reportFailure, reportSkipped, unknownKey } from "./keyFetch.ts"
import { countPhase, countStaleServe } from "./keyMetrics.ts"
import * as KeySet from "./KeySet.ts"
import { makeKeyStore } from "./keyStore.ts"

export { type JwksSource, KeysUnavailable, UnknownKey } from "./JwksSource.ts"

// Structured, so that two sources cannot collide.
const nameOf = (source: JwksSource): string => JSON.stringify([source._tag, placeOf(source), reachOf(source)])

/** Writes down and counts what becomes of a source's keys: an outage is a warning, the rest is for debugging. */
const onChange = (source: JwksSource) => (phase: Phase) =>
  Effect.andThen(
    countPhase(phase),
    Effect.annotateLogs(
      phase === "stale" || phase === "unavailable"
        ? Effect.logWarning(`Keys of a provider are ${phase}`)
        : Effect.logDebug(`Keys of a provider are ${phase}`),
      { source: placeOf(source) }
    )
  )

type RemoteKeys = RemoteValue.RemoteValue<KeySet.KeySet, KeysUnavailable>

/**
 * The public keys of issuers (RFC 7517).
 *
 * A key set is fresh as long as its `max-age` says, within 1 minute and 24 hours, else 5 minutes; shortly before its end
 * it is fetched again while it serves. Concurrent callers share one fetch. A key that the set lacks makes it be fetched
 * again, at most once in 30 seconds for each source, failed attempts included. After a failed fetch nobody asks for 10
 * seconds; a set that has ended serves for one hour while its provider is down. Fetched sets are
 * shared through the `KeyValueStore`, which may fail. At most 1,024 requests wait for the keys of one source; those of
 * the peers that ask the most are refused then.
 */
export class JwksCache extends Context.Service<JwksCache, {
  /** The key that a header names. Fails with `UnknownKey` or `KeysUnavailable`. */
  readonly keyFor: (
    source: JwksSource,
    header: KeySet.KeyHeader
  ) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /**
   * The key at once, where `keyFor` would find it and do nothing else; `undefined`: only `keyFor` can say. Optional.
   */
  readonly known?: ((source: JwksSource, header: KeySet.KeyHeader) => CryptoKey | undefined) | undefined
  /** Starts a fetch if there are no fresh keys, and does not wait for it. Never fails. */
  readonly prefetch: (source: JwksSource) => Effect.Effect<void>
  /** In which phase the keys of a source are, and whether any of them is usable; prefetches. */
  readonly phase: (source: JwksSource) => Effect.Effect<{ readonly phase: Phase; readonly usable: boolean }>
}>()("mcp-authorizer/keys/JwksCache") {
  static readonly make = Effect.gen(function*() {
    const { ask, locate } = yield* makeKeyFetch
    const store = yield* makeKeyStore
    const scope = yield* Effect.scope
    const clock = yield* Clock.Clock
    const sharedIo = yield* SharedIo
    // One entry for each configured source, and the way to it from the very same object: every request goes there.
    const sources = new Map<string, RemoteKeys>()
    const sameSources = new WeakMap<JwksSource, RemoteKeys>()

    const obtain = Effect.fnUntraced(
      function*(source: JwksSource, extra: boolean) {
        const uri = yield* locate(source)
        // What a fresh set lacks is not in the store either: it came from there, or went there. And keys that may not be
        // fetched may not be taken from there.
        const mayRead = !extra && Result.isSuccess(providerUrl(uri, source.allowedDomains, source.allowHttp))
        const stored = mayRead ? yield* store.read(nameOf(source), uri) : undefined
        return { uri, stored, ...(stored ?? (yield* ask(source, uri))) }
      },
      inTime
    )

    const fetch = Effect.fnUntraced(
      function*(source: JwksSource, { extra, previous }: RemoteValue.FetchRequest<KeySet.KeySet>) {
        const { freshMillis, keys, stored, uri } = yield* obtain(source, extra)
        // Not within the time for obtaining them: a slow store must not cost the keys of a slow provider.
        if (stored === undefined) {
          const extraMillis = extra ? providerLimits.extraMillis : 0
          yield* store.write(nameOf(source), uri, { keys, freshMillis, extraMillis })
        }
        const set = KeySet.fromJwks(keys, previous)
        yield* reportSkipped(source, set, previous)
        return { value: set, freshMillis, stored }
      },
      reportFailure
    )

    const remote = (source: JwksSource): RemoteKeys => {
      const same = sameSources.get(source)
      if (same !== undefined) return same
      const name = nameOf(source)
      const known = sources.get(name) ??
        RemoteValue.make({
          scope,
          fetch: (request) => fetch(source, request),
          limits: providerLimits,
          onChange: onChange(source),
          room: makeWaitingRoom(
            documentWaiters,
            () => withoutStack(() => new KeysUnavailable({ detail: `${placeOf(source)}: ${tooManyWait}` }))
          ),
          sharedIo
        })
      sources.set(name, known)
      sameSources.set(source, known)
      return known
    }

    /** Looks in a newer set, and in the next one if that was being fetched already: the key may have come between. */
    const findInNewer = (keys: RemoteKeys, header: KeySet.KeyHeader) =>
      Effect.flatMap(keys.refetched, ({ joined, value }) =>
        Effect.catchIf(
          KeySet.find(value, header),
          ({ reason }) => joined && reason === "None",
          () => Effect.flatMap(keys.refetched, (next) => KeySet.find(next.value, header))
        ))

    const keyFor = Effect.fnUntraced(
      function*(keys: RemoteKeys, header: KeySet.KeyHeader) {
        const { latest, stale, value } = yield* keys.current
        if (stale) yield* countStaleServe
        return yield* KeySet.find(value, header).pipe(Effect.catchTag("NoFittingKey", (failure) => {
          // More keys would not make an ambiguous choice less so.
          if (failure.reason === "Ambiguous") return Effect.fail(failure)
          return latest ? Effect.andThen(keys.noteMiss, Effect.fail(failure)) : findInNewer(keys, header)
        }))
      },
      Effect.catchTag("NoFittingKey", (failure) => Effect.fail(unknownKey(failure)))
    )

    return JwksCache.of({
      keyFor: (source, header) => keyFor(remote(source), header),
      known: (source, header) => {
        const set = remote(source).known(clock)
        return set === undefined ? undefined : KeySet.known(set, header)
      },
      prefetch: (source) => remote(source).prefetch,
      phase: Effect.fnUntraced(function*(source) {
        const { phase, value } = yield* remote(source).status
        return { phase, usable: value !== undefined && value.keys.length > 0 }
      })
    })
  })

  static readonly layer = perConfiguration(Layer.effect(JwksCache, JwksCache.make))
}

import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { perConfiguration } from "../config/perConfiguration.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeWaitingRoom } from "../fairness/waitingRoom.ts"
import { annotate } from "../log/logFields.ts"
import { type DocumentFormat, entryName, makeDocumentStore } from "../remote/documentStore.ts"
import { HeldValues, type Holder } from "../remote/HeldValues.ts"
import { own } from "../remote/JsonObject.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import { documentWaiters, providerLimits, tooManyWait } from "../remote/providerLimits.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { reachOf } from "../remote/ProviderReach.ts"
import { providerUrl } from "../remote/providerUrl.ts"
import type { Phase } from "../remote/remoteState.ts"
import * as RemoteValue from "../remote/RemoteValue.ts"
import { SharedEntries, storeEntries } from "../remote/SharedEntries.ts"
import { traced } from "../trace/spans.ts"
import { type JwksSource, KeysUnavailable, placeOf, type SharedKeys, type UnknownKey } from "./JwksSource.ts"
import { inTime, makeKeyFetch, reportFailure, reportSkipped, unknownKey } from "./keyFetch.ts"
import { countPhase, countStaleServe } from "./keyMetrics.ts"
import * as KeySet from "./KeySet.ts"
import { type KeySetState, keySetState } from "./keySetState.ts"

export { type JwksSource, KeysUnavailable, UnknownKey } from "./JwksSource.ts"

// Encoded as JSON, so that the names of two sources cannot collide.
const nameOf = (source: JwksSource): string => JSON.stringify([source._tag, placeOf(source), reachOf(source)])

/** Logs and counts a change of phase: an outage is a warning, everything else is for debugging. */
const onChange = (source: JwksSource) => (phase: Phase) =>
  Effect.andThen(
    countPhase(source, phase),
    (phase === "stale" || phase === "unavailable"
      ? Effect.logWarning(`Keys of a provider are ${phase}`)
      : Effect.logDebug(`Keys of a provider are ${phase}`)).pipe(annotate({ source: placeOf(source) }))
  )

/** A key set, both parsed and as published. */
interface PublishedKeys {
  readonly uri: string
  readonly set: KeySet.KeySet
  readonly members: ReadonlyArray<unknown>
  /** The digest of the members, if instances share key sets. */
  readonly digest: string | undefined
}

type RemoteKeys = RemoteValue.RemoteValue<PublishedKeys, KeysUnavailable>

const digestOf = (members: ReadonlyArray<unknown>): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(members)))),
    (digest) => Hex.encode(new Uint8Array(digest))
  )

/** The cache for one user, and the function that ends its use. */
export interface JwksLease {
  readonly service: JwksCache["Service"]
  readonly release: () => void
}

/**
 * The public keys of issuers (RFC 7517).
 *
 * A key set is fresh for its `max-age`, within 1 minute and 24 hours, or for 5 minutes without it. Shortly before it
 * expires, it is fetched again in the background. Concurrent callers share one fetch. A key that is missing in the set
 * triggers a fetch, at most once in 30 seconds for each source, including failed attempts. After a failed fetch the
 * next one follows after 10 seconds; an expired set is used for one hour while its provider is down. Fetched sets are
 * shared through `SharedEntries` or the `KeyValueStore`, which may fail. At most 1,024 requests wait for the keys of
 * one source; beyond that, requests of the peers that wait the most are rejected.
 */
export class JwksCache extends Context.Service<JwksCache, {
  /** Finds the key that a header names. Fails with `UnknownKey` or `KeysUnavailable`. */
  readonly keyFor: (
    source: JwksSource,
    header: KeySet.KeyHeader
  ) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /**
   * Returns the key synchronously if `keyFor` would return it without a fetch. If it returns `undefined`, call
   * `keyFor`. Optional.
   */
  readonly peek?: ((source: JwksSource, header: KeySet.KeyHeader) => CryptoKey | undefined) | undefined
  /**
   * Returns the key set in the form that instances share, if it has the key that a header names. Optional, for caches
   * of verdicts.
   */
  readonly shared?:
    | ((source: JwksSource, header: KeySet.KeyHeader, key: CryptoKey) => SharedKeys | undefined)
    | undefined
  /** Starts a fetch if there are no fresh keys, without waiting for it. Never fails. */
  readonly prefetch: (source: JwksSource) => Effect.Effect<void>
  /** Returns the phase of a source's keys, and whether any key is usable. Fetches keys that will expire soon. */
  readonly phase: (source: JwksSource) => Effect.Effect<{ readonly phase: Phase; readonly usable: boolean }>
  /** Returns the cached state of a source, for operators. Never starts a fetch. Optional. */
  readonly inspect?: ((source: JwksSource) => KeySetState) | undefined
  /** Waits until there are keys, or a fetch has failed. Never fails. Optional, for changing the configuration. */
  readonly warm?: ((source: JwksSource) => Effect.Effect<void>) | undefined
  /** Keeps the keys of a configured source, even before it is used. Optional, for changing the configuration. */
  readonly keep?: ((source: JwksSource) => void) | undefined
  /**
   * The cache for one of several users, each with sources of its own that may change. Keys of sources that no user has
   * any more are dropped. If left out, keys are kept as long as the cache.
   */
  readonly lease?: (() => JwksLease) | undefined
}>()("mcp-authorizer/keys/JwksCache") {
  static readonly make: Effect.Effect<
    JwksCache["Service"],
    never,
    KeyValueStore.KeyValueStore | ProviderHttp | ProviderMetadata | Scope.Scope
  > = Effect.gen(function*() {
    const { fetchKeys, locate } = yield* makeKeyFetch
    const memory = yield* storeEntries
    const store = (yield* SharedEntries) ?? memory
    const scope = yield* Effect.scope
    const clock = yield* Clock.Clock
    const sharedIo = yield* SharedIo
    const metadata = yield* ProviderMetadata
    const sources = new HeldValues<RemoteKeys>()

    /** The form of key sets in the store. Stored keys are checked like those from a provider. */
    const format = (source: JwksSource): DocumentFormat<PublishedKeys> => ({
      kind: "jwks",
      encode: ({ digest, members }) => ({ keys: members, digest }),
      decode: Effect.fnUntraced(function*(document, previous, uri) {
        const members = own(document, "keys")
        const digest = own(document, "digest")
        if (!Array.isArray(members)) return undefined
        const set = KeySet.fromJwks(members, previous?.set)
        // Instances with a shared store log the unusable keys only once.
        if (sharedIo) yield* reportSkipped(source, set, previous?.set)
        return { uri, set, members, digest: typeof digest === "string" ? digest : undefined }
      }),
      mayRead: (uri) => Result.isSuccess(providerUrl(uri, source.allowedDomains, source.allowHttp)),
      sharesFailures: !sharedIo
    })

    const fetch = Effect.fnUntraced(
      function*(source: JwksSource, { previous, uri }: RemoteValue.FetchRequest<PublishedKeys>) {
        const { freshMillis, keys } = yield* fetchKeys(source, uri)
        const set = KeySet.fromJwks(keys, previous?.set)
        yield* reportSkipped(source, set, previous?.set)
        const digest = sharedIo ? undefined : yield* digestOf(keys)
        return { value: { uri, set, members: keys, digest }, freshMillis }
      },
      (fetching, source) =>
        traced("mcp-authorizer.keys", () => ({ "mcp_authorizer.source": placeOf(source) }), fetching)
    )

    const makeRemote = (source: JwksSource) => {
      const documents = source._tag === "Discovery" ? metadata.lease?.() : undefined
      const value = RemoteValue.make({
        scope,
        locate: locate(source, documents?.service),
        fetch: (request) => fetch(source, request),
        attempt: (effect) => reportFailure(inTime(effect), source),
        limits: providerLimits,
        onChange: onChange(source),
        room: makeWaitingRoom(
          documentWaiters,
          () => withoutStack(() => new KeysUnavailable({ detail: `${placeOf(source)}: ${tooManyWait}` }))
        ),
        store: makeDocumentStore(store, format(source)),
        backedOff: () => new KeysUnavailable({ detail: "the last fetch failed not long ago" }),
        sharedIo
      })
      return { value, dropped: documents?.release }
    }

    /**
     * Looks in a newer set, and in the one after it if its fetch was already running: the key may have been published
     * only recently.
     */
    const findInNewer = (keys: RemoteKeys, header: KeySet.KeyHeader) =>
      Effect.flatMap(keys.refetched, ({ joined, value }) =>
        Effect.catchIf(
          KeySet.find(value.set, header),
          ({ reason }) => joined && reason === "None",
          () => Effect.flatMap(keys.refetched, (next) => KeySet.find(next.value.set, header))
        ))

    const keyFor = Effect.fnUntraced(
      function*(source: JwksSource, keys: RemoteKeys, header: KeySet.KeyHeader) {
        const { latest, stale, value } = yield* keys.current
        if (stale) yield* countStaleServe(source)
        return yield* KeySet.find(value.set, header).pipe(Effect.catchTag("NoFittingKey", (failure) => {
          // A newer set would not help: the choice would still be ambiguous.
          if (failure.reason === "Ambiguous") return Effect.fail(failure)
          return latest ? Effect.andThen(keys.noteMiss, Effect.fail(failure)) : findInNewer(keys, header)
        }))
      },
      Effect.catchTag("NoFittingKey", (failure) => Effect.fail(unknownKey(failure)))
    )

    const serviceOf = (holder: Holder<RemoteKeys>): JwksCache["Service"] => {
      // The key is the source object itself, for speed: every request needs this lookup.
      const sameSources = new WeakMap<JwksSource, RemoteKeys>()

      const remote = (source: JwksSource): RemoteKeys => {
        const same = sameSources.get(source)
        if (same !== undefined) return same
        const found = holder.get(nameOf(source), () => makeRemote(source))
        sameSources.set(source, found)
        return found
      }

      return JwksCache.of({
        keyFor: (source, header) => keyFor(source, remote(source), header),
        peek: (source, header) => {
          const published = remote(source).peek(clock)
          return published === undefined ? undefined : KeySet.peek(published.set, header)
        },
        shared: (source, header, key) => {
          const published = remote(source).held()
          return published?.digest !== undefined && KeySet.peek(published.set, header) === key
            ? { entry: entryName("jwks", published.uri), digest: published.digest }
            : undefined
        },
        prefetch: (source) => remote(source).prefetch,
        phase: Effect.fnUntraced(function*(source) {
          const { phase, value } = yield* remote(source).status
          return { phase, usable: value !== undefined && value.set.keys.length > 0 }
        }),
        inspect: (source) => keySetState(placeOf(source), remote(source).inspect(clock)),
        warm: (source) => Effect.ignore(remote(source).current),
        keep: (source) => void remote(source),
        lease: () => {
          const own = sources.holder()
          return { service: serviceOf(own), release: own.release }
        }
      })
    }
    return serviceOf(sources.holder())
  })

  static readonly layer: Layer.Layer<JwksCache, never, KeyValueStore.KeyValueStore | ProviderHttp | ProviderMetadata> =
    perConfiguration(Layer.effect(JwksCache, JwksCache.make))
}

import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { freshnessMillis } from "./freshness.ts"
import { own } from "./JsonObject.ts"
import { countFetch, countPhase, countStaleServe } from "./keyMetrics.ts"
import * as KeySet from "./KeySet.ts"
import { makeKeyStore } from "./keyStore.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import { providerLimits } from "./providerLimits.ts"
import { ProviderMetadata } from "./ProviderMetadata.ts"
import { providerUrl } from "./providerUrl.ts"
import type { Phase } from "./remoteState.ts"
import * as RemoteValue from "./RemoteValue.ts"

/** Where the keys of an issuer are published, and the hosts that may be asked for them (empty: any). */
export type JwksSource =
  | { readonly _tag: "Jwks"; readonly uri: string; readonly allowedDomains: ReadonlyArray<string> }
  /** At the `jwks_uri` of the issuer's metadata. */
  | { readonly _tag: "Discovery"; readonly issuer: string; readonly allowedDomains: ReadonlyArray<string> }

/** The issuer has no key that fits the token, or several; the keys were fetched lately. */
export class UnknownKey extends Data.TaggedError("UnknownKey")<{
  readonly detail: string
}> {}

/** Whether a key fits cannot be said, because the keys cannot be had. `detail` is for the log. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{
  readonly detail: string
}> {}

const placeOf = (source: JwksSource): string => source._tag === "Jwks" ? source.uri : source.issuer

// Structured, so that two sources cannot collide.
const nameOf = (source: JwksSource): string => JSON.stringify([source._tag, placeOf(source), source.allowedDomains])

// For all that leads to the keys: finding out where they are may take exchanges of its own.
const patience = "5 seconds"

// One line of the log names no more of them.
const loggedKeys = 10

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
 * shared through the `KeyValueStore`, which may fail.
 */
export class JwksCache extends Context.Service<JwksCache, {
  /** The key that a header names. Fails with `UnknownKey` or `KeysUnavailable`. */
  readonly keyFor: (
    source: JwksSource,
    header: KeySet.KeyHeader
  ) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /** Starts a fetch if there are no fresh keys, and does not wait for it. Never fails. */
  readonly prefetch: (source: JwksSource) => Effect.Effect<void>
  /** In which phase the keys of a source are, and whether any of them is usable; prefetches. */
  readonly phase: (source: JwksSource) => Effect.Effect<{ readonly phase: Phase; readonly usable: boolean }>
}>()("mcp-authorizer/keys/JwksCache") {
  static readonly make = Effect.gen(function*() {
    const http = yield* ProviderHttp
    const metadata = yield* ProviderMetadata
    const store = yield* makeKeyStore
    const scope = yield* Effect.scope
    // One entry for each configured source.
    const sources = new Map<string, RemoteKeys>()

    const locate = Effect.fnUntraced(function*(source: JwksSource) {
      if (source._tag === "Jwks") return source.uri
      const uri = own(yield* metadata.document(source), "jwks_uri")
      if (typeof uri !== "string") return yield* new KeysUnavailable({ detail: "the metadata has no jwks_uri" })
      // A document that came over TLS must not point back to plain text on this machine.
      return source.issuer.startsWith("https:") && !uri.startsWith("https:")
        ? yield* new KeysUnavailable({ detail: "the jwks_uri of the metadata is not https" })
        : uri
    })

    /** Asks the provider. */
    const ask = Effect.fnUntraced(function*({ allowedDomains }: JwksSource, uri: string) {
      const { body, cacheControl } = yield* http.send({ url: uri, allowedDomains })
      const keys = own(body, "keys")
      if (!Array.isArray(keys)) return yield* new KeysUnavailable({ detail: "the key set has no array of keys" })
      yield* countFetch("success")
      return { keys, freshMillis: freshnessMillis(cacheControl) }
    })

    const obtain = Effect.fnUntraced(
      function*(source: JwksSource, extra: boolean) {
        const uri = yield* locate(source)
        // What a fresh set lacks is not in the store either: it came from there, or went there. And keys that may not be
        // fetched may not be taken from there.
        const mayRead = !extra && Result.isSuccess(providerUrl(uri, source.allowedDomains))
        const stored = mayRead ? yield* store.read(nameOf(source), uri) : undefined
        return { uri, stored, ...(stored ?? (yield* ask(source, uri))) }
      },
      Effect.catchTag(
        ["ProviderRequestFailed", "MetadataUnavailable"],
        (error) => Effect.fail(new KeysUnavailable({ detail: error.detail }))
      ),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new KeysUnavailable({ detail: "Timeout of the whole fetch" }))
      })
    )

    const fetch = Effect.fnUntraced(
      function*(source: JwksSource, { extra, previous }: RemoteValue.FetchRequest<KeySet.KeySet>) {
        const { freshMillis, keys, stored, uri } = yield* obtain(source, extra)
        // Not within the time for obtaining them: a slow store must not cost the keys of a slow provider.
        if (stored === undefined) {
          const extraMillis = extra ? providerLimits.extraMillis : 0
          yield* store.write(nameOf(source), uri, { keys, freshMillis, extraMillis })
        }
        const { set, skipped } = KeySet.fromJwks(keys, previous)
        if (skipped.length > 0) {
          yield* Effect.logWarning("Keys of a provider are unusable").pipe(Effect.annotateLogs({
            source: placeOf(source),
            keys: skipped.slice(0, loggedKeys).map(({ index, reason }) => `${index}: ${reason}`).join(", "),
            unusable: skipped.length
          }))
        }
        return { value: set, freshMillis, stored }
      },
      (effect, source) =>
        Effect.tapError(effect, ({ detail }) =>
          Effect.andThen(
            countFetch("failure"),
            // As often as the provider is asked in vain, not as often as somebody needs the keys.
            Effect.logWarning("Keys of a provider could not be fetched").pipe(
              Effect.annotateLogs({ source: placeOf(source), reason: detail })
            )
          ))
    )

    const remote = (source: JwksSource): RemoteKeys => {
      const name = nameOf(source)
      const known = sources.get(name) ??
        RemoteValue.make(scope, (request) => fetch(source, request), providerLimits, onChange(source))
      sources.set(name, known)
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
      Effect.catchTag(
        "NoFittingKey",
        ({ reason }) => Effect.fail(new UnknownKey({ detail: reason === "None" ? "no key fits" : "several keys fit" }))
      )
    )

    return JwksCache.of({
      keyFor: (source, header) => keyFor(remote(source), header),
      prefetch: (source) => remote(source).prefetch,
      phase: Effect.fnUntraced(function*(source) {
        const keys = remote(source)
        yield* keys.prefetch
        const { phase, value } = yield* keys.peek
        return { phase, usable: value !== undefined && value.keys.length > 0 }
      })
    })
  })

  static readonly layer = Layer.effect(JwksCache, JwksCache.make)
}

import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { freshnessMillis } from "./freshness.ts"
import { own } from "./JsonObject.ts"
import * as KeySet from "./KeySet.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import { providerLimits } from "./providerLimits.ts"
import { ProviderMetadata } from "./ProviderMetadata.ts"
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

type RemoteKeys = RemoteValue.RemoteValue<KeySet.KeySet, KeysUnavailable>

/**
 * The public keys of issuers (RFC 7517).
 *
 * A key set is kept as long as its `max-age` says, within 1 minute and 24 hours, else 5 minutes. Concurrent callers share
 * one fetch. A key that the set lacks makes it be fetched again, at most once in 30 seconds for each source, failed
 * attempts included; a failed fetch is not repeated for 10 seconds and leaves fresh keys in place.
 */
export class JwksCache extends Context.Service<JwksCache, {
  /** The key that a header names. Fails with `UnknownKey` or `KeysUnavailable`. */
  readonly keyFor: (
    source: JwksSource,
    header: KeySet.KeyHeader
  ) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /** Starts a fetch if there are no fresh keys, and does not wait for it. Never fails. */
  readonly prefetch: (source: JwksSource) => Effect.Effect<void>
  /** Says whether there are usable keys now, and prefetches. */
  readonly usable: (source: JwksSource) => Effect.Effect<boolean>
}>()("mcp-authorizer/keys/JwksCache") {
  static readonly make = Effect.gen(function*() {
    const http = yield* ProviderHttp
    const metadata = yield* ProviderMetadata
    const scope = yield* Effect.scope
    // One entry for each configured source; the name is structured, so that two sources cannot collide.
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

    const fetch = Effect.fnUntraced(
      function*(source: JwksSource) {
        const { allowedDomains } = source
        const { body, cacheControl } = yield* http.send({ url: yield* locate(source), allowedDomains })
        const keys = own(body, "keys")
        if (!Array.isArray(keys)) return yield* new KeysUnavailable({ detail: "the key set has no array of keys" })
        const { set, skipped } = KeySet.fromJwks(keys)
        if (skipped.length > 0) {
          yield* Effect.logWarning("Keys of a provider are unusable").pipe(Effect.annotateLogs({
            source: source._tag === "Jwks" ? source.uri : source.issuer,
            keys: skipped.map(({ index, reason }) => `${index}: ${reason}`).join(", ")
          }))
        }
        return { value: set, freshMillis: freshnessMillis(cacheControl) }
      },
      Effect.catchTag(
        ["ProviderRequestFailed", "MetadataUnavailable"],
        (error) => Effect.fail(new KeysUnavailable({ detail: error.detail }))
      ),
      Effect.tapError(({ detail }) => Effect.logWarning("Keys of a provider are unavailable", detail))
    )

    const remote = (source: JwksSource): RemoteKeys => {
      const place = source._tag === "Jwks" ? source.uri : source.issuer
      const name = JSON.stringify([source._tag, place, source.allowedDomains])
      const known = sources.get(name) ?? RemoteValue.make(scope, fetch(source), providerLimits)
      sources.set(name, known)
      return known
    }

    const keyFor = Effect.fnUntraced(
      function*(keys: RemoteKeys, header: KeySet.KeyHeader) {
        const { fetched, value } = yield* keys.current
        return yield* KeySet.find(value, header).pipe(Effect.catchTag("NoFittingKey", (failure) => {
          // More keys would not make an ambiguous choice less so.
          if (failure.reason === "Ambiguous") return Effect.fail(failure)
          if (fetched) return Effect.andThen(keys.noteMiss, Effect.fail(failure))
          return Effect.flatMap(keys.refetched, (set) => KeySet.find(set, header))
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
      usable: Effect.fnUntraced(function*(source) {
        const keys = remote(source)
        yield* keys.prefetch
        const set = yield* keys.peek
        return set !== undefined && set.keys.length > 0
      })
    })
  })

  static readonly layer = Layer.effect(JwksCache, JwksCache.make)
}

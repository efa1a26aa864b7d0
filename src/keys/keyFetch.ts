/** Asking an issuer for its keys, and telling the operator how that went; caches decide when. */
import * as Effect from "effect/Effect"
import { freshnessMillis } from "./freshness.ts"
import { own } from "./JsonObject.ts"
import { type JwksSource, KeysUnavailable, placeOf, UnknownKey } from "./JwksSource.ts"
import { countFetch } from "./keyMetrics.ts"
import type * as KeySet from "./KeySet.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import { ProviderMetadata } from "./ProviderMetadata.ts"
import { withoutStack } from "./withoutStack.ts"

// For all that leads to the keys: finding out where they are may take exchanges of its own.
const patience = "5 seconds"

// One line of the log names no more of them.
const loggedKeys = 10

/** Ends what leads to keys in time. */
export const inTime = <A>(effect: Effect.Effect<A, KeysUnavailable>): Effect.Effect<A, KeysUnavailable> =>
  Effect.timeoutOrElse(effect, {
    duration: patience,
    orElse: () => Effect.fail(new KeysUnavailable({ detail: "Timeout of the whole fetch" }))
  })

/** Counts failed attempts and writes them down: as often as the provider is asked, not as often as somebody needs keys. */
export const reportFailure = <A>(
  effect: Effect.Effect<A, KeysUnavailable>,
  source: JwksSource
): Effect.Effect<A, KeysUnavailable> =>
  Effect.tapError(effect, ({ detail }) =>
    Effect.andThen(
      countFetch("failure"),
      Effect.logWarning("Keys of a provider could not be fetched").pipe(
        Effect.annotateLogs({ source: placeOf(source), reason: detail })
      )
    ))

/** Writes down which members of a key set are of no use. */
export const reportSkipped = (source: JwksSource, skipped: ReturnType<typeof KeySet.fromJwks>["skipped"]) =>
  skipped.length === 0
    ? Effect.void
    : Effect.logWarning("Keys of a provider are unusable").pipe(Effect.annotateLogs({
      source: placeOf(source),
      keys: skipped.slice(0, loggedKeys).map(({ index, reason }) => `${index}: ${reason}`).join(", "),
      unusable: skipped.length
    }))

/** What a set that has no fitting key, or no single one, means for the token. */
export const unknownKey = ({ reason }: KeySet.NoFittingKey): UnknownKey =>
  withoutStack(() => new UnknownKey({ detail: reason === "None" ? "no key fits" : "several keys fit" }))

/** The two steps of a fetch, each of which fails with `KeysUnavailable`. */
export const makeKeyFetch = Effect.gen(function*() {
  const http = yield* ProviderHttp
  const metadata = yield* ProviderMetadata

  /** Where the keys are. */
  const locate = Effect.fnUntraced(function*(source: JwksSource): Effect.fn.Return<string, KeysUnavailable> {
    if (source._tag === "Jwks") return source.uri
    const document = yield* Effect.mapError(metadata.document(source), ({ detail }) => new KeysUnavailable({ detail }))
    const uri = own(document, "jwks_uri")
    if (typeof uri !== "string") return yield* new KeysUnavailable({ detail: "the metadata has no jwks_uri" })
    // A document that came over TLS must not point back to plain text on this machine.
    return source.issuer.startsWith("https:") && !uri.startsWith("https:")
      ? yield* new KeysUnavailable({ detail: "the jwks_uri of the metadata is not https" })
      : uri
  })

  /** Asks the provider. */
  const ask = Effect.fnUntraced(function*({ allowedDomains }: JwksSource, uri: string) {
    const { body, cacheControl } = yield* Effect.mapError(
      http.send({ url: uri, allowedDomains }),
      ({ detail }) => new KeysUnavailable({ detail })
    )
    const keys = own(body, "keys")
    if (!Array.isArray(keys)) return yield* new KeysUnavailable({ detail: "the key set has no array of keys" })
    yield* countFetch("success")
    return { keys, freshMillis: freshnessMillis(cacheControl) }
  })

  return { locate, ask }
})

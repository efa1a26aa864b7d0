/** Fetches the keys of an issuer and reports the result to the operator. Caches decide when. */
import * as Effect from "effect/Effect"
import { show } from "../errors/show.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { annotate } from "../log/logFields.ts"
import { freshnessMillis } from "../remote/freshness.ts"
import { own } from "../remote/JsonObject.ts"
import { metadataMember } from "../remote/metadataMember.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { type JwksSource, KeysUnavailable, placeOf, UnknownKey } from "./JwksSource.ts"
import { countFetch } from "./keyMetrics.ts"
import type * as KeySet from "./KeySet.ts"

// The limit for all steps together, because discovery sends requests as well.
const timeout = "5 seconds"

// The maximum number of keys that a log entry names.
const loggedKeys = 10

/** Applies the timeout to all steps of a fetch. */
export const inTime = <A>(effect: Effect.Effect<A, KeysUnavailable>): Effect.Effect<A, KeysUnavailable> =>
  Effect.timeoutOrElse(effect, {
    duration: timeout,
    orElse: () => Effect.fail(new KeysUnavailable({ detail: "Timeout of the whole fetch" }))
  })

/** Counts and logs failed attempts: once for each request to the provider, not for each token that waits for keys. */
export const reportFailure = <A>(
  effect: Effect.Effect<A, KeysUnavailable>,
  source: JwksSource
): Effect.Effect<A, KeysUnavailable> =>
  Effect.tapError(effect, ({ detail }) =>
    Effect.andThen(
      countFetch(source, "failure"),
      Effect.logWarning("Keys of a provider could not be fetched").pipe(
        annotate({ source: placeOf(source), reason: detail })
      )
    ))

const nameOf = ({ index, kid }: KeySet.SkippedKey): string => kid === undefined ? `#${index}` : show(kid)

/** The unusable members that could be keys for signatures, sorted, because providers change their order. */
const faults = (skipped: ReadonlyArray<KeySet.SkippedKey>): ReadonlyArray<string> =>
  skipped.filter(({ reason }) => reason !== "ForEncryption").map((key) => `${nameOf(key)}: ${key.reason}`).toSorted()

/**
 * Logs the unusable members of a key set, by their `kid` or their position, with the reason. Logs once, and again if
 * the list changes.
 *
 * Keys for encryption are not a fault, and are not logged.
 */
export const reportSkipped = (
  source: JwksSource,
  { skipped }: KeySet.KeySet,
  previous: KeySet.KeySet | undefined
): Effect.Effect<void> => {
  const now = faults(skipped)
  const before = new Set(previous === undefined ? [] : faults(previous.skipped))
  const isKnown = now.length === before.size && now.every((fault) => before.has(fault))
  return now.length === 0 || isKnown
    ? Effect.void
    : Effect.logWarning("Keys of a provider are unusable").pipe(annotate({
      source: placeOf(source),
      keys: now.slice(0, loggedKeys).join(", "),
      unusable: now.length
    }))
}

export const wantedKey = ({ alg, kid, x5t, x5tS256 }: KeySet.KeyHeader): string => {
  if (kid !== undefined) return `kid ${show(kid)} for ${alg}`
  const thumbprint = x5tS256 ?? x5t
  return thumbprint === undefined ? `${alg}, and the token names none` : `x5t ${show(thumbprint)} for ${alg}`
}

/** Names the keys of a set by their ids, at most as many as fit into a log line. */
export const presentKeys = ({ keys }: KeySet.KeySet): string => {
  const names = keys.map(({ algorithms, kid }) =>
    `${kid === undefined ? "one without kid" : show(kid)} (${algorithms.length > 1 ? "any " : ""}${algorithms[0]})`
  )
  return names.length === 0
    ? "there is no usable key"
    : `there are ${names.slice(0, loggedKeys).join(", ")}${
      names.length > loggedKeys ? ` and ${names.length - loggedKeys} more` : ""
    }`
}

/**
 * Builds the error for a token without exactly one fitting key. It names the key of the token, and the keys of the set.
 */
export const unknownKey = ({ header, reason, set }: KeySet.NoFittingKey): UnknownKey =>
  withoutStack(() =>
    new UnknownKey({
      detail: `${reason === "None" ? "no key" : "more than one key"} fits ${wantedKey(header)}; ${presentKeys(set)}`
    })
  )

/** The two steps of a fetch, each of which fails with `KeysUnavailable`. */
export const makeKeyFetch = Effect.gen(function*() {
  const http = yield* ProviderHttp
  const usualMetadata = yield* ProviderMetadata

  const locate = Effect.fnUntraced(function*(
    source: JwksSource,
    metadata: ProviderMetadata["Service"] = usualMetadata
  ): Effect.fn.Return<string, KeysUnavailable> {
    if (source._tag === "Jwks") return source.uri
    const document = yield* Effect.mapError(metadata.document(source), ({ detail }) => new KeysUnavailable({ detail }))
    return yield* Effect.mapError(
      Effect.fromResult(metadataMember(document, "jwks_uri", source)),
      (detail) => new KeysUnavailable({ detail })
    )
  })

  const fetchKeys = Effect.fnUntraced(function*(source: JwksSource, uri: string) {
    const { allowHttp, allowedDomains } = source
    const { body, cacheControl, clockDifference } = yield* Effect.mapError(
      http.send({ url: uri, allowedDomains, allowHttp }),
      ({ detail }) => new KeysUnavailable({ detail })
    )
    const keys = own(body, "keys")
    if (!Array.isArray(keys)) return yield* new KeysUnavailable({ detail: "the key set has no array of keys" })
    yield* countFetch(source, "success")
    return { keys, clockDifference, freshMillis: freshnessMillis(cacheControl) }
  })

  return { locate, fetchKeys }
})

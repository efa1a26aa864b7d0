import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { own } from "../../remote/JsonObject.ts"
import { metadataMember } from "../../remote/metadataMember.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { hasNone, type MetadataSource, type ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import { makeSteadyMillis } from "../../remote/steadyMillis.ts"

type Http = ProviderHttp["Service"]

const makeDiscover = (metadata: ProviderMetadata["Service"], source: MetadataSource, member: string) =>
  Effect.gen(function*() {
    const document = yield* metadata.document(source)
    return yield* Effect.fromResult(metadataMember(document, member, source))
  }).pipe(
    Effect.mapError((error) => {
      const found = typeof error === "string" ? error : error.detail
      return new ProviderRequestFailed({ kind: "NoMetadata", url: source.issuer, found })
    })
  )

/** Asks the endpoint that a provider's metadata name, whatever URL a question has; without one it fails as `NoMetadata`. */
export const makeDiscoveredHttp = (
  http: Http,
  metadata: ProviderMetadata["Service"],
  source: MetadataSource,
  member: string
): Http => {
  const discover = makeDiscover(metadata, source, member)
  return { send: (request) => Effect.flatMap(discover, (url) => http.send({ ...request, url })) }
}

/** How long it is believed that the metadata say no more, so that not every refused token has them asked for. */
const uselessMillis = 60_000

/**
 * Asks the endpoint of each question, which is a guess, until an answer about a person shows that it is right. What gets
 * none there is asked where the metadata say, and from the first answer there on all is.
 *
 * A refusal alone does not decide: some servers refuse whatever they do not know, and some tokens are refused anywhere.
 */
export const makeGuessedHttp = (
  http: Http,
  metadata: ProviderMetadata["Service"],
  source: MetadataSource,
  member: string
): Http => {
  const discover = makeDiscover(metadata, source, member)
  const millisOf = makeSteadyMillis()
  let right: string | undefined
  let uselessUntil = Number.NEGATIVE_INFINITY

  const ask = (request: Parameters<Http["send"]>[0]) =>
    Effect.tap(http.send(request), ({ body }) =>
      Effect.sync(() => {
        if (typeof own(body, "sub") === "string") right = request.url
      }))

  /** Where the metadata say, if that is somewhere else; otherwise what was said here holds. */
  const askElsewhere = (request: Parameters<Http["send"]>[0], failure: ProviderRequestFailed) =>
    Clock.clockWith((clock) => {
      const now = millisOf(clock)
      if (!hasNone(failure) || right !== undefined || now < uselessUntil) return Effect.fail(failure)
      const useless = Effect.suspend(() => {
        uselessUntil = now + uselessMillis
        return Effect.fail(failure)
      })
      return Effect.matchEffect(discover, {
        onFailure: () => useless,
        onSuccess: (url) => url === request.url ? useless : ask({ ...request, url })
      })
    })

  return {
    send: (request) =>
      right === undefined
        ? Effect.catch(ask(request), (failure) => askElsewhere(request, failure))
        : http.send({ ...request, url: right })
  }
}

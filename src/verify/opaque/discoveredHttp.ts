import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { own } from "../../remote/JsonObject.ts"
import { metadataMember } from "../../remote/metadataMember.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { isMissing, type MetadataSource, type ProviderMetadata } from "../../remote/ProviderMetadata.ts"
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

/**
 * Builds the client that sends requests to the endpoint in the provider's metadata, ignoring the URL of the request.
 * Fails with `NoMetadata` if the metadata have no endpoint.
 */
export const makeDiscoveredHttp = (
  http: Http,
  metadata: ProviderMetadata["Service"],
  source: MetadataSource,
  member: string
): Http => {
  const discover = makeDiscover(metadata, source, member)
  return { send: (request) => Effect.flatMap(discover, (url) => http.send({ ...request, url })) }
}

/**
 * How long metadata that named no better endpoint are not fetched again. Otherwise every rejected token would fetch
 * them.
 */
const uselessMillis = 60_000

/**
 * Builds the client for an endpoint whose configured URL is a guess. Requests go to the guess until a response with a
 * user confirms it. Requests that fail there are sent to the endpoint in the metadata, and after the first success
 * there, all requests are.
 *
 * A rejection alone does not confirm the guess: some servers reject every unknown path, and some tokens are rejected
 * anywhere.
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

  const sendAndLearn = (request: Parameters<Http["send"]>[0]) =>
    Effect.tap(http.send(request), ({ body }) =>
      Effect.sync(() => {
        if (typeof own(body, "sub") === "string") right = request.url
      }))

  /**
   * Sends a request to the endpoint in the metadata, if it is a different one. Otherwise fails with the original
   * failure.
   */
  const sendElsewhere = (request: Parameters<Http["send"]>[0], failure: ProviderRequestFailed) =>
    Clock.clockWith((clock) => {
      const now = millisOf(clock)
      if (!isMissing(failure) || right !== undefined || now < uselessUntil) return Effect.fail(failure)
      const useless = Effect.suspend(() => {
        uselessUntil = now + uselessMillis
        return Effect.fail(failure)
      })
      return Effect.matchEffect(discover, {
        onFailure: () => useless,
        onSuccess: (url) => url === request.url ? useless : sendAndLearn({ ...request, url })
      })
    })

  return {
    send: (request) =>
      right === undefined
        ? Effect.catch(sendAndLearn(request), (failure) => sendElsewhere(request, failure))
        : http.send({ ...request, url: right })
  }
}

/** The way to ask a provider of opaque tokens, whose endpoint may have to be found first. */
import * as Effect from "effect/Effect"
import type { IntrospectionProvider, UserinfoProvider } from "../../config/GatewaySettings.ts"
import { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { makeDiscoveredHttp, makeGuessedHttp } from "./discoveredHttp.ts"

/** For a userinfo provider: at the configured endpoint, else at the usual one and, where that gives no answer, at that of its metadata. */
export const userinfoHttp = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const plain = yield* ProviderHttp
  return provider.endpointIsGuess === true
    ? makeGuessedHttp(plain, yield* ProviderMetadata, provider, "userinfo_endpoint")
    : plain
})

/** For an introspection provider: at the endpoint that is configured, else at the one of its metadata. */
export const introspectionHttp = Effect.fnUntraced(function*(provider: IntrospectionProvider) {
  const plain = yield* ProviderHttp
  return provider.introspectionEndpoint === undefined
    ? makeDiscoveredHttp(plain, yield* ProviderMetadata, provider, "introspection_endpoint")
    : plain
})

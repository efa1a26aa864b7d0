/** The product's layers for every platform that has `fetch` and Web Crypto: Node, Bun, Deno, Workers. */
import * as Digest from "effect/crypto/Digest"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as HttpGatewayClient from "../forward/HttpGatewayClient.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { layerProviders } from "../verify/layers.ts"
import type { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"

const platform = Layer.merge(FetchHttpClient.layer, KeyValueStore.layerMemory)

/**
 * Verification as configured, with a verifier of yours on top: `TokenVerifier.layerPrefix` or `layerMapIdentity` around
 * `TokenVerifier.layer`.
 *
 * @param verifier what tokens mean, on top of the configured providers
 */
export const layerVerifierWith = <E>(
  verifier: Layer.Layer<TokenVerifier, E, ProviderRegistry | Digest.Digest>
) =>
  Layer.provideMerge(verifier, layerProviders).pipe(Layer.provide(platform), Layer.provideMerge(Digest.layerWebCrypto))

/**
 * Verification as configured: fetches keys with `fetch`, keeps them in memory.
 *
 * Fails with `UnusablePublicKey` when a configured public key is none.
 */
export const layerVerifier = layerVerifierWith(TokenVerifier.layer)

/**
 * The gateway on every platform that has `fetch`, with a verifier of yours on top of the configured providers.
 *
 * @param verifier what tokens mean, on top of the configured providers
 */
export const layerGatewayWith = <E>(
  verifier: Layer.Layer<TokenVerifier, E, ProviderRegistry | Digest.Digest>
) => HttpApp.layer.pipe(Layer.provide([layerVerifierWith(verifier), HttpGatewayClient.layerFetch]))

/**
 * The gateway on every platform that has `fetch`: give it a `GatewayConfig`, and hand it to `HttpApp.toWebHandler`.
 *
 * On Node `mcp-authorizer/node` is faster, and refuses more of what is no request.
 */
export const layerGateway = layerGatewayWith(TokenVerifier.layer)

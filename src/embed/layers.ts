/** The product's layers for every platform that has `fetch` and Web Crypto: Node, Bun, Deno, Workers. */
import * as Digest from "effect/crypto/Digest"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { layerTrustOfHost } from "../config/fetchHosts.ts"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import * as HttpGatewayClient from "../forward/HttpGatewayClient.ts"
import type { HttpApp } from "../http/HttpApp.ts"
import { layerServers } from "../http/layerServers.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { layerDocuments, layerProviders, type Verification } from "../verify/layers.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"

const platform = Layer.mergeAll(
  FetchHttpClient.layer,
  KeyValueStore.layerMemory,
  Digest.layerWebCrypto,
  layerTrustOfHost
)

/**
 * Verification as configured, with your own verifier on top.
 *
 * Each use of the layer builds a separate verifier with its own keys and verdicts, so that two servers in one program
 * never share them. Fails with `UnusablePublicKey` if a configured public key cannot be used, and with the errors of
 * `verifier`.
 *
 * **Example** (API keys in addition to OAuth)
 *
 * ```ts
 * import type * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { type BearerToken, type Identity, type InvalidToken, layerVerifierWith, TokenVerifier } from "mcp-authorizer"
 *
 * declare const findApiKey: (key: BearerToken) => Effect.Effect<Identity, InvalidToken>
 *
 * const Verification = layerVerifierWith(
 *   TokenVerifier.layerPrefix("wcd_", findApiKey).pipe(Layer.provide(TokenVerifier.layer))
 * )
 * ```
 *
 * @param verifier `TokenVerifier.layerPrefix` or `layerMapIdentity` around `TokenVerifier.layer`
 */
export const layerVerifierWith = <E>(
  verifier: Verification<E>
): Layer.Layer<ProviderMetadata | ProviderRegistry | TokenVerifier, E | UnusablePublicKey, GatewayConfig> =>
  Layer.fresh(Layer.provideMerge(verifier, layerProviders).pipe(Layer.provide(platform)))

/**
 * Verification as configured: fetches keys with `fetch`, and caches them in memory.
 *
 * Fails with `UnusablePublicKey` if a configured public key cannot be used.
 *
 * @see `layerVerifierWith`
 */
export const layerVerifier: Layer.Layer<
  ProviderMetadata | ProviderRegistry | TokenVerifier,
  UnusablePublicKey,
  GatewayConfig
> = layerVerifierWith(TokenVerifier.layer)

/**
 * The gateway on every platform that has `fetch`, with your own verifier on top of the configured providers.
 *
 * Fails with `UnusablePublicKey`, with `InvalidConfiguration` if the MCP server is behind a Unix socket, which `fetch`
 * cannot reach, and with the errors of `verifier`.
 *
 * @see `layerVerifierWith` for a verifier, `HttpApp.toWebHandler` for a handler from the layer
 */
export const layerGatewayWith = <E>(
  verifier: Verification<E>
): Layer.Layer<HttpApp, E | InvalidConfiguration | UnusablePublicKey, GatewayConfig> =>
  Layer.fresh(
    layerServers(
      Layer.merge(verifier, HttpGatewayClient.layerFetch).pipe(Layer.provideMerge(ProviderRegistry.layer))
    ).pipe(Layer.provide(layerDocuments), Layer.provide(platform))
  )

/**
 * The gateway on every platform that has `fetch`: provide a `GatewayConfig`, and pass it to `HttpApp.toWebHandler`.
 *
 * On Node, `mcp-authorizer/node` is faster, and rejects more malformed requests.
 *
 * @see `layerGatewayWith`
 */
export const layerGateway: Layer.Layer<HttpApp, InvalidConfiguration | UnusablePublicKey, GatewayConfig> =
  layerGatewayWith(TokenVerifier.layer)

/** The product's layers for every platform that has `fetch` and Web Crypto: Node, Bun, Deno, Workers. */
import * as Digest from "effect/crypto/Digest"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { layerTrustOfHost } from "../config/fetchHosts.ts"
import * as HttpGatewayClient from "../forward/HttpGatewayClient.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { layerProviders, type Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"

const platform = Layer.mergeAll(
  FetchHttpClient.layer,
  KeyValueStore.layerMemory,
  Digest.layerWebCrypto,
  layerTrustOfHost
)

/**
 * Verification as configured, with a verifier of yours on top.
 *
 * Each use of the layer is another verifier, with keys and verdicts of its own, so that two servers in one program never
 * share what belongs to one configuration. Fails with `UnusablePublicKey` when a configured public key cannot be used, and as
 * `verifier` does.
 *
 * **Example** (API keys beside OAuth)
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
export const layerVerifierWith = <E>(verifier: Verification<E>) =>
  Layer.fresh(Layer.provideMerge(verifier, layerProviders).pipe(Layer.provide(platform)))

/**
 * Verification as configured: fetches keys with `fetch`, keeps them in memory.
 *
 * Fails with `UnusablePublicKey` when a configured public key cannot be used.
 *
 * @see `layerVerifierWith`
 */
export const layerVerifier = layerVerifierWith(TokenVerifier.layer)

/**
 * The gateway on every platform that has `fetch`, with a verifier of yours on top of the configured providers.
 *
 * Fails with `UnusablePublicKey`, with `InvalidConfiguration` where the MCP server is behind a Unix socket, which `fetch`
 * cannot reach, and as `verifier` does.
 *
 * @see `layerVerifierWith` for a verifier, `HttpApp.toWebHandler` for what to do with the layer
 */
export const layerGatewayWith = <E>(verifier: Verification<E>) =>
  Layer.fresh(
    HttpApp.layer.pipe(
      Layer.provide([layerVerifierWith(verifier), HttpGatewayClient.layerFetch])
    )
  )

/**
 * The gateway on every platform that has `fetch`: give it a `GatewayConfig`, and hand it to `HttpApp.toWebHandler`.
 *
 * On Node `mcp-authorizer/node` is faster, and refuses more of what is no request.
 *
 * @see `layerGatewayWith`
 */
export const layerGateway = layerGatewayWith(TokenVerifier.layer)

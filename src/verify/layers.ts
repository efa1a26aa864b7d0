import type * as Digest from "effect/crypto/Digest"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import type { TokenVerifier } from "./TokenVerifier.ts"

/** Token verification for the configured providers: `TokenVerifier.layer`, possibly wrapped. */
export type Verification<E = never> = Layer.Layer<TokenVerifier, E, ProviderRegistry | Digest.Digest>

type ProviderNeeds = ProviderHttp | HttpClient.HttpClient | KeyValueStore.KeyValueStore

/** `layerDocuments` with another metadata service, for hosts whose instances are too short-lived to cache. */
export const layerDocumentsWith = (
  metadata: Layer.Layer<ProviderMetadata, never, ProviderNeeds>
): Layer.Layer<
  JwksCache | ProviderHttp | ProviderMetadata,
  never,
  HttpClient.HttpClient | KeyValueStore.KeyValueStore
> => perConfiguration(JwksCache.layer.pipe(Layer.provideMerge(metadata), Layer.provideMerge(ProviderHttp.layer)))

/**
 * The client for providers, and the caches of their keys and documents. Several MCP servers of one gateway share them.
 *
 * Provide it to a `ProviderRegistry`.
 */
export const layerDocuments: ReturnType<typeof layerDocumentsWith> = layerDocumentsWith(ProviderMetadata.layer)

/**
 * The configured providers and everything that they need, from `GatewayConfig`, an `HttpClient`, a `KeyValueStore` and a
 * `Digest`.
 *
 * Provide it to `TokenVerifier.layer`, or to a verifier of your own that wraps it.
 */
export const layerProviders: Layer.Layer<
  ProviderMetadata | ProviderRegistry,
  UnusablePublicKey,
  Digest.Digest | GatewayConfig | HttpClient.HttpClient | KeyValueStore.KeyValueStore
> = perConfiguration(ProviderRegistry.layer.pipe(
  Layer.provide(JwksCache.layer),
  Layer.provideMerge(ProviderMetadata.layer),
  Layer.provide(ProviderHttp.layer)
))

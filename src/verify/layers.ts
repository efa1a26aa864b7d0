import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import { JwksCache } from "../keys/JwksCache.ts"
import { ProviderHttp } from "../keys/ProviderHttp.ts"
import { ProviderMetadata } from "../keys/ProviderMetadata.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"

/**
 * The configured providers and all that they need, from `GatewayConfig`, an `HttpClient`, a `KeyValueStore` and a
 * `Digest`.
 *
 * What is left to choose is the `TokenVerifier` on top: `TokenVerifier.layer` for the configured providers alone.
 */
export const layerProviders = ProviderRegistry.layer.pipe(
  Layer.provide(JwksCache.layer),
  Layer.provideMerge(ProviderMetadata.layer),
  Layer.provide([ProviderHttp.layer, CircuitBreaker.layerStoreMemory()])
)

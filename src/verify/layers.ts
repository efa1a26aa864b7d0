import type * as Digest from "effect/crypto/Digest"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import { JwksCache } from "../keys/JwksCache.ts"
import { ProviderHttp } from "../keys/ProviderHttp.ts"
import { ProviderMetadata } from "../keys/ProviderMetadata.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import type { TokenVerifier } from "./TokenVerifier.ts"

/** What tokens mean, on top of the configured providers: `TokenVerifier.layer`, or that with wrappers around it. */
export type Verification<E = never> = Layer.Layer<TokenVerifier, E, ProviderRegistry | Digest.Digest>

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

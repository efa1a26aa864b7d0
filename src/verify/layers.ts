import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import { ProviderHttp } from "../keys/ProviderHttp.ts"
import { ProviderMetadata } from "../keys/ProviderMetadata.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"

const registry = Layer.unwrap(Effect.map(GatewayConfig, ProviderRegistry.layer))

/**
 * The configured providers and all that they need, from `GatewayConfig` and an `HttpClient`.
 *
 * What is left to choose is the `TokenVerifier` on top: `TokenVerifier.layer` for the configured providers alone.
 */
export const layerProviders = registry.pipe(
  Layer.provide(JwksCache.layer),
  Layer.provideMerge(ProviderMetadata.layer),
  Layer.provide(ProviderHttp.layer),
  Layer.provideMerge(Digest.layerWebCrypto)
)

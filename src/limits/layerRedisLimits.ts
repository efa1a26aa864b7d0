import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redis from "effect/persistence/Redis"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { LimitStore } from "./LimitStore.ts"
import { makePromptCounters } from "./promptCounters.ts"
import { makeRedisCounters } from "./redisCounters.ts"

const crypto = Layer.mergeAll(
  Digest.layerWebCrypto,
  Layer.provideMerge(Mac.layerWebCrypto, SecureRandom.layerWebCrypto)
)

/**
 * Counts rate limits in the Redis or Valkey server that the `Redis` service of `effect/persistence` is connected to.
 *
 * For programs that embed the gateway; `mcp-authorizer/node` connects to `MCP_STORE_URL` itself. Provide it to the
 * layer that checks requests, next to `GatewayConfig`. No request waits longer than `MCP_STORE_TIMEOUT_MILLIS`;
 * `MCP_STORE_FAILURE` decides about requests that cannot be counted.
 */
export const layerRedisLimits: Layer.Layer<never, never, Redis.Redis | GatewayConfig> = perConfiguration(
  Layer.effect(
    LimitStore,
    Effect.gen(function*() {
      const settings = yield* GatewayConfig
      return makePromptCounters(yield* makeRedisCounters(settings), settings.storeTimeoutMillis)
    })
  ).pipe(Layer.provide(crypto))
)

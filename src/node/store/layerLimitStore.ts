import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { carryOver } from "../../config/carryOver.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { LimitStore } from "../../limits/LimitStore.ts"
import { makePromptCounters } from "../../limits/promptCounters.ts"
import { makeRedisCounters } from "../../limits/redisCounters.ts"
import { makeRedis, storeAuthorities } from "./redis.ts"

/**
 * The store of `MCP_STORE_URL` to count in; none, and no connection, where that is not set.
 *
 * It is built without waiting for the store, which may be down.
 */
export const layerLimitStore = Layer.effect(
  LimitStore,
  Effect.gen(function*() {
    const { caFile, sessionKeys, storeKeyPrefix, storePassword, storeTimeoutMillis, storeUrl } = yield* GatewayConfig
    if (storeUrl === undefined) return undefined
    const authorities = yield* storeAuthorities(storeUrl, caFile)
    // The connection of an unchanged store is kept: without it no request could be counted for a moment.
    const redis = yield* carryOver(
      "store",
      [storeUrl, storePassword, authorities?.digest],
      makeRedis({ storePassword, storeUrl }, authorities)
    )
    const counters = yield* Effect.provideService(
      makeRedisCounters({ sessionKeys, storeKeyPrefix }),
      Redis.Redis,
      redis
    )
    return makePromptCounters(counters, storeTimeoutMillis)
  })
)

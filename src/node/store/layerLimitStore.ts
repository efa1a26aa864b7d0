import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { LimitStore } from "../../limits/LimitStore.ts"
import { makePromptCounters } from "../../limits/promptCounters.ts"
import { makeRedisCounters } from "../../limits/redisCounters.ts"
import { makeRedis } from "./redis.ts"

/**
 * The store of `MCP_STORE_URL` to count in; none, and no connection, where that is not set.
 *
 * It is built without waiting for the store, which may be down.
 */
export const layerLimitStore = Layer.effect(
  LimitStore,
  Effect.gen(function*() {
    const settings = yield* GatewayConfig
    const { storeTimeoutMillis, storeUrl } = settings
    if (storeUrl === undefined) return undefined
    const redis = yield* makeRedis({ ...settings, storeUrl })
    const counters = yield* Effect.provideService(makeRedisCounters(settings), Redis.Redis, redis)
    return makePromptCounters(counters, storeTimeoutMillis)
  })
)

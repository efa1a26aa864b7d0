import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import type * as Digest from "effect/crypto/Digest"
import type * as Mac from "effect/crypto/Mac"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { carryOver } from "../../config/carryOver.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { LimitStore } from "../../limits/LimitStore.ts"
import { makePromptCounters } from "../../limits/promptCounters.ts"
import { makeRedisCounters } from "../../limits/redisCounters.ts"
import { SharedEntries } from "../../remote/SharedEntries.ts"
import { makeRedisEntries } from "../../store/redisEntries.ts"
import { makeSealedEntries } from "../../store/sealedEntries.ts"
import { SharedVerdictEntries } from "../../verify/replicaVerdicts.ts"
import { makeRedis, storeAuthorities } from "./redis.ts"

const connectedBy = Effect.fnUntraced(function*({ caFile, storePassword, storeUrl }: GatewaySettings) {
  if (storeUrl === undefined) return undefined
  const authorities = yield* storeAuthorities(storeUrl, caFile)
  return { storeUrl, storePassword, authorities, by: [storeUrl, storePassword, authorities?.digest] }
})

/** Everything that the entries in the store depend on, by value; empty if replicas share no entries. */
export const sharedBy = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const { sessionKeys, storeKeyPrefix, storeTimeoutMillis } = settings
  const connected = yield* connectedBy(settings)
  // Without a key, anyone who can write to the store could have any token accepted.
  return connected === undefined || sessionKeys.length === 0
    ? []
    : [...connected.by, sessionKeys, storeKeyPrefix, storeTimeoutMillis]
})

/**
 * What replicas share in the store of `MCP_STORE_URL`: counters of rate limits, and with `MCP_SESSION_KEY` also
 * verdicts about opaque tokens and documents of providers. Everything uses one connection; without `MCP_STORE_URL` the
 * layer is empty.
 *
 * The store may be down: building the layer waits for the connection for at most two seconds (`makeRedis`).
 */
export const layerStore: Layer.Layer<
  never,
  InvalidConfiguration,
  Digest.Digest | GatewayConfig | Mac.Mac | SecureRandom.SecureRandom
> = Layer.effectContext(Effect.gen(function*() {
  const settings = yield* GatewayConfig
  const { sessionKeys, storeKeyPrefix, storeTimeoutMillis, storeVerdicts } = settings
  const connected = yield* connectedBy(settings)
  if (connected === undefined) return Context.make(LimitStore, undefined)
  // The connection of an unchanged store is kept: without it no request could be counted for a moment.
  const redis = yield* carryOver("store", connected.by, makeRedis(connected, connected.authorities))
  const counters = yield* Effect.provideService(makeRedisCounters({ sessionKeys, storeKeyPrefix }), Redis.Redis, redis)
  const limits = Context.make(LimitStore, makePromptCounters(counters, storeTimeoutMillis))
  const by = yield* sharedBy(settings)
  if (by.length === 0) return limits
  const entries = yield* carryOver(
    "entries of the store",
    by,
    makeRedisEntries({ storeTimeoutMillis }).pipe(
      Effect.provideService(Redis.Redis, redis),
      Effect.flatMap((raw) => makeSealedEntries({ sessionKeys, storeKeyPrefix }, raw)),
      Effect.provide(Aead.layerWebCrypto)
    )
  )
  return limits.pipe(
    Context.add(SharedEntries, entries),
    Context.add(SharedVerdictEntries, storeVerdicts ? entries : undefined)
  )
}))

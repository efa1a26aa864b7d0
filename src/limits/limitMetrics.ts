/** Counters about rate limits; their labels are from closed lists. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { GatewaySettings, RateLimit } from "../config/GatewaySettings.ts"

const limited = Metric.counter("mcp_authorizer_rate_limited", {
  description: "Requests that were rejected because of a rate limit, by what it counts",
  incremental: true
})

const failures = Metric.counter("mcp_authorizer_store_failures", {
  description: "Requests that the store could not count, by what became of them",
  incremental: true
})

/** Counts a request that is over a limit. */
export const countLimited = (on: RateLimit["on"]): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(limited, { on }), 1)

/** Counts a request that the store could not count. */
export const countStoreFailure = (outcome: GatewaySettings["storeFailure"]): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(failures, { outcome }), 1)

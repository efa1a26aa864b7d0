/** Metrics of rate limits. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { GatewaySettings, RateLimit } from "../config/GatewaySettings.ts"
import { counter } from "../metrics/series.ts"

export const countLimited = (on: RateLimit["on"]): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.rate_limit.rejections", { on }), 1)

export const countStoreFailure = (outcome: GatewaySettings["storeFailure"]): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.store.failures", { outcome }), 1)

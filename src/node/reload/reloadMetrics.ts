/** Recording what happens to the configuration. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { counter, gauge } from "../../metrics/series.ts"
import type { ReloadAttempt } from "./Reloader.ts"

const generations = gauge("mcp_authorizer.config.generation", {})
const successful = gauge("mcp_authorizer.config.last_reload.successful", {})
const lastSuccess = gauge("mcp_authorizer.config.last_reload.success_timestamp", {})

export const countReload = (outcome: ReloadAttempt["outcome"]): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.config.reloads", { outcome }), 1)

/** Records the number of the configuration at work, and whether the one that was read last, at this time, can be used. */
export const noteConfiguration = (generation: number, isUsable: boolean, at: number): Effect.Effect<void> =>
  Effect.all([
    Metric.update(generations, generation),
    Metric.update(successful, isUsable ? 1 : 0),
    ...(isUsable ? [Metric.update(lastSuccess, at / 1000)] : [])
  ], { discard: true })

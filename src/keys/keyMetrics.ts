/** Recording what happens to keys and provider documents. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { counter } from "../metrics/series.ts"
import type { Phase } from "../remote/remoteState.ts"

const staleServes = counter("mcp_authorizer.key.stale_serves", {})

/** Counts a fetch of a key set. */
export const countFetch = (outcome: "success" | "failure"): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.key.fetches", { outcome }), 1)

/** Counts a change of phase. */
export const countPhase = (phase: Phase): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.key.phases", { phase }), 1)

/** Counts a token that was verified with stale keys. */
export const countStaleServe: Effect.Effect<void> = Metric.update(staleServes, 1)

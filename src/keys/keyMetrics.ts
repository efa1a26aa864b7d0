/** Metrics of keys and provider documents. Their labels are from closed lists. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Phase } from "../remote/remoteState.ts"

const fetches = Metric.counter("mcp_authorizer_key_fetches", {
  description: "Fetches of key sets, by outcome",
  incremental: true
})

const phases = Metric.counter("mcp_authorizer_key_phases", {
  description: "How often a key set came into each phase",
  incremental: true
})

const staleServes = Metric.counter("mcp_authorizer_key_stale_serves", {
  description: "Tokens verified with expired keys, because the provider was down",
  incremental: true
})

/** Counts a fetch of a key set. */
export const countFetch = (outcome: "success" | "failure"): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(fetches, { outcome }), 1)

/** Counts a change of phase. */
export const countPhase = (phase: Phase): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(phases, { phase }), 1)

/** Counts a token that was verified with stale keys. */
export const countStaleServe: Effect.Effect<void> = Metric.update(staleServes, 1)

/** Counters about verdicts; their labels are from closed lists. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { InvalidTokenReason } from "../errors/GatewayError.ts"

const lookUps = Metric.counter("mcp_authorizer_verdict_lookups", {
  description: "Tokens that were found verified already, or not",
  incremental: true
})

const refusals = Metric.counter("mcp_authorizer_token_refusals", {
  description: "Refused tokens, by reason; ProviderUnavailable: nobody could say",
  incremental: true
})

// Made once: this is counted for every request.
const counted = {
  hit: Metric.update(Metric.withAttributes(lookUps, { outcome: "hit" }), 1),
  miss: Metric.update(Metric.withAttributes(lookUps, { outcome: "miss" }), 1)
}

/** Counts a look-up among the verified tokens. */
export const countVerdict = (outcome: "hit" | "miss"): Effect.Effect<void> => counted[outcome]

/** Counts a refusal. */
export const countRefusal = (reason: InvalidTokenReason | "ProviderUnavailable"): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(refusals, { reason }), 1)

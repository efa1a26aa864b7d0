/** Metrics of verdicts. Their labels are from closed lists. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { type InvalidTokenReason, invalidTokenReasons, type VerificationError } from "../errors/GatewayError.ts"

const lookUps = Metric.counter("mcp_authorizer_verdict_lookups", {
  description: "Lookups of tokens in the cache of verdicts, by result",
  incremental: true
})

const rejections = Metric.counter("mcp_authorizer_token_rejections", {
  description:
    "Rejected tokens, by reason; InsufficientScope: by their provider; AccessDenied: by a verifier's policy; ProviderUnavailable: no verdict",
  incremental: true
})

const counted = {
  hit: Metric.withAttributes(lookUps, { outcome: "hit" }),
  miss: Metric.withAttributes(lookUps, { outcome: "miss" })
}

/** Builds the counter of lookups in the cache of verdicts. */
export const makeCountVerdict = Effect.map(
  Effect.context<never>(),
  // Not an effect: this is counted for every request, and on some hosts without a fiber.
  (context) => (outcome: keyof typeof counted): void => counted[outcome].updateUnsafe(1, context)
)

const counters = new Map(
  ([...invalidTokenReasons, "InsufficientScope", "AccessDenied", "ProviderUnavailable"] as const)
    .map((reason) => [reason, Metric.update(Metric.withAttributes(rejections, { reason }), 1)])
)

/** Counts a rejection. */
export const countRejection = (
  reason: InvalidTokenReason | Exclude<VerificationError["_tag"], "InvalidToken">
): Effect.Effect<void> => counters.get(reason) ?? Effect.void

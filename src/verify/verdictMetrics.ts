/** Counters about verdicts; their labels are from closed lists. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { type InvalidTokenReason, invalidTokenReasons, type VerificationError } from "../errors/GatewayError.ts"

const lookUps = Metric.counter("mcp_authorizer_verdict_lookups", {
  description: "Tokens that were found verified already, or not",
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

/** Makes the counter of look-ups among the verified tokens. */
export const makeCountVerdict = Effect.map(
  Effect.context<never>(),
  // Without an effect: this is counted for every request, also where there is no fiber.
  (context) => (outcome: keyof typeof counted): void => counted[outcome].updateUnsafe(1, context)
)

const counters = new Map(
  ([...invalidTokenReasons, "InsufficientScope", "AccessDenied", "ProviderUnavailable"] as const)
    .map((reason) => [reason, Metric.update(Metric.withAttributes(rejections, { reason }), 1)])
)

/** Counts a refusal. */
export const countRejection = (
  reason: InvalidTokenReason | Exclude<VerificationError["_tag"], "InvalidToken">
): Effect.Effect<void> => counters.get(reason) ?? Effect.void

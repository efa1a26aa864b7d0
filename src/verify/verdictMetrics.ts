/** Counts verdicts about tokens. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { type InvalidTokenReason, invalidTokenReasons, type VerificationError } from "../errors/GatewayError.ts"
import { counter } from "../metrics/series.ts"

const counted = {
  hit: counter("mcp_authorizer.verdict.lookups", { outcome: "hit" }),
  miss: counter("mcp_authorizer.verdict.lookups", { outcome: "miss" })
}

export const makeCountVerdict = Effect.map(
  Effect.context<never>(),
  // Not an effect, because it runs for every request, and on some hosts outside of a fiber.
  (context) => (outcome: keyof typeof counted): void => counted[outcome].updateUnsafe(1, context)
)

const counters = new Map(
  ([...invalidTokenReasons, "InsufficientScope", "AccessDenied", "ProviderUnavailable"] as const)
    .map((reason) => [reason, Metric.update(counter("mcp_authorizer.token.rejections", { reason }), 1)])
)

export const countRejection = (
  reason: InvalidTokenReason | Exclude<VerificationError["_tag"], "InvalidToken">
): Effect.Effect<void> => counters.get(reason) ?? Effect.void

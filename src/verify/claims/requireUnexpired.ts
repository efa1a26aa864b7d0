import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { InvalidToken } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { isExpired } from "./validity.ts"

/**
 * Checks the expiry of a token that was verified earlier, or needs no verification.
 *
 * @param skew tolerance, in seconds
 * @param detail the detail of the rejection, for the log
 */
export const requireUnexpired = (
  identity: Identity,
  skew: number,
  detail: string
): Effect.Effect<Identity, InvalidToken> => {
  const { expiresAt, provider } = identity
  if (expiresAt === undefined) return Effect.succeed(identity)
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    isExpired(expiresAt, now / 1000, skew)
      ? Effect.fail(new InvalidToken({ provider, reason: "Expired", detail }))
      : Effect.succeed(identity))
}

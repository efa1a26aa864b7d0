import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { requireUnexpired } from "../claims/requireUnexpired.ts"
import { countVerdict } from "../verdictMetrics.ts"
import { endPassed, maxPositiveMillis, negativeMillis } from "./verdictLife.ts"

/** Says who bears an opaque token. */
export type VerifyOpaque = (token: BearerToken) => Effect.Effect<Identity, VerificationError>

/** The token behind the digest that is looked up. Not part of the cache, so that no token outlives its request. */
class PresentedToken extends Context.Service<PresentedToken, BearerToken>()(
  "mcp-authorizer/verify/opaque/VerdictCache/PresentedToken"
) {}

/** Entries; the least recently used one goes first. Refusals have their own, so that a flood of them evicts no caller. */
const positiveCapacity = 10_000
const negativeCapacity = 1_000

/**
 * Remembers what a provider says about opaque tokens.
 *
 * A verdict is found by the SHA-256 of the whole token. A yes is kept until the token ends, for 5 minutes at most (so
 * long may a revoked token live on), and its end is judged anew each time; a no is kept for 10 seconds; that nobody can
 * say is not kept at all. Concurrent requests with one token share one question.
 *
 * @param skew tolerance for the end of a token, in seconds
 */
export const makeVerdictCache = Effect.fnUntraced(function*(
  skew: number,
  ask: VerifyOpaque
): Effect.fn.Return<VerifyOpaque, never, Digest.Digest> {
  const { digestHex } = yield* Digest.Digest

  const lookUp = Effect.gen(function*() {
    const identity = yield* ask(yield* PresentedToken)
    const life = (identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000 - (yield* Clock.currentTimeMillis)
    return { identity, keepMillis: Math.max(Math.min(life, maxPositiveMillis), 0) }
  })
  // Filled after a yes only, so that questions that are still open take no place from those who are known.
  const accepted = yield* Cache.makeWith((_digest: string) => lookUp, {
    capacity: positiveCapacity,
    timeToLive: (exit) => Exit.isSuccess(exit) ? exit.value.keepMillis : 0,
    requireServicesAt: "lookup"
  })
  const remember = (digest: string) => Effect.tap(lookUp, (verdict) => Cache.set(accepted, digest, verdict))
  const refused = yield* Cache.makeWith(remember, {
    capacity: negativeCapacity,
    timeToLive: (exit) =>
      Option.exists(Exit.findErrorOption(exit), (error) => error._tag === "InvalidToken") ? negativeMillis : 0,
    requireServicesAt: "lookup"
  })

  return Effect.fnUntraced(function*(token) {
    const digest = yield* digestHex(Digest.sha256, new TextEncoder().encode(Redacted.value(token)))
    const known = yield* Cache.getSuccess(accepted, digest)
    yield* countVerdict(Option.isSome(known) ? "hit" : "miss")
    const { identity } = Option.isSome(known)
      ? known.value
      : yield* Effect.provideService(Cache.get(refused, digest), PresentedToken, token)
    return yield* requireUnexpired(identity, skew, endPassed)
  })
})

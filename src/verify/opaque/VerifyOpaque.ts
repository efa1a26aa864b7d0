import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { requireUnexpired } from "../claims/requireUnexpired.ts"
import { checkPresented } from "../claims/tokenKind.ts"
import { peekJwt } from "../jwt/CompactJws.ts"
import { toInvalidToken } from "../Rejection.ts"
import type { Verdict } from "../Verdict.ts"
import { endPassed, maxPositiveMillis, renewedAheadMillis } from "./verdictLife.ts"

/** Asks the provider which caller an opaque token represents. */
export type QueryProvider = (token: BearerToken) => Effect.Effect<Identity, VerificationError>

export type VerifyOpaque = (token: BearerToken) => Effect.Effect<Verdict, VerificationError>

/**
 * Builds the verifier of opaque tokens. The provider's verdict is cached until the token expires, and at most for 5
 * minutes, which is how long a revoked token can remain accepted.
 *
 * A JWT that states that it is not an access token is rejected without a request to the provider.
 *
 * @param provider the provider's name
 * @param skew tolerance for the expiry, in seconds
 */
export const makeVerifyOpaque = (provider: string, skew: number, query: QueryProvider): VerifyOpaque =>
  Effect.fnUntraced(function*(token) {
    const jwt = peekJwt(Redacted.value(token))
    const rejected = jwt === undefined ? undefined : checkPresented(jwt.claims, jwt.typ)
    if (rejected !== undefined) return yield* toInvalidToken(provider, rejected)
    const identity = yield* requireUnexpired(yield* query(token), skew, endPassed)
    const longest = (yield* Clock.currentTimeMillis) + maxPositiveMillis
    const until = Math.min((identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000, longest)
    const renewFrom = until === longest ? until - renewedAheadMillis : undefined
    return { identity, validity: { until, renewFrom } }
  })

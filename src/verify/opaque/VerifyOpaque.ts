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

/** Asks the provider who bears an opaque token. */
export type AskProvider = (token: BearerToken) => Effect.Effect<Identity, VerificationError>

/** Judges an opaque token. */
export type VerifyOpaque = (token: BearerToken) => Effect.Effect<Verdict, VerificationError>

/**
 * Makes the verifier of opaque tokens: what their provider says, believed until the token ends, for 5 minutes at most (so
 * long may a revoked token live on).
 *
 * It is not asked about a JWT that says itself that it is no access token.
 *
 * @param provider its name
 * @param skew tolerance for the end of a token, in seconds
 */
export const makeVerifyOpaque = (provider: string, skew: number, ask: AskProvider): VerifyOpaque =>
  Effect.fnUntraced(function*(token) {
    const jwt = peekJwt(Redacted.value(token))
    const refused = jwt === undefined ? undefined : checkPresented(jwt.claims, jwt.typ)
    if (refused !== undefined) return yield* toInvalidToken(provider, refused)
    const identity = yield* requireUnexpired(yield* ask(token), skew, endPassed)
    const longest = (yield* Clock.currentTimeMillis) + maxPositiveMillis
    const until = Math.min((identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000, longest)
    const renewFrom = until === longest ? until - renewedAheadMillis : undefined
    return { identity, validity: { until, renewFrom } }
  })

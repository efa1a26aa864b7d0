import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { ProviderUnavailable, VerificationError } from "../errors/GatewayError.ts"
import { Asker } from "../fairness/Asker.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import type { Identity } from "../identity/Identity.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { makeRecentlyUsed } from "./recentlyUsed.ts"
import { makeTokenDigest, Sha256 } from "./tokenDigest.ts"
import type { Holding } from "./Verdict.ts"
import { makeCountVerdict } from "./verdictMetrics.ts"

/** What is waited for on behalf of all who ask about one token. */
class Question extends Context.Service<Question, Effect.Effect<Identity, VerificationError>>()(
  "mcp-authorizer/verify/VerifiedTokens/Question"
) {}

/** Entries; the least recently used one goes first. Refusals have their own, so that a flood of them evicts no caller. */
const acceptedCapacity = 8_192
const refusedCapacity = 1_000

// After a renewal that brought nothing, the next one waits this long.
const renewalPauseMillis = 10_000

/** Nobody can invent a token that was good before: it need not wait behind those that may be invented. */
const asKnown = Effect.updateService(Asker, (asker): Asker => ({ ...asker, isKnown: true }))

interface Accepted {
  readonly identity: Identity
  readonly holds: Holding
  renewFrom: number
}

interface Refused {
  readonly error: Exclude<VerificationError, ProviderUnavailable>
  readonly until: number
}

/** The verifier of all tokens, and its memory. */
export interface VerifiedTokens {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
  /** As `TokenVerifier.known`; `undefined` where the host has no digest at once. */
  readonly known: ((token: string) => Identity | undefined) | undefined
}

/**
 * Verifies tokens, and does not verify one again while nothing has changed.
 *
 * What was said is found by the SHA-256 of the whole token; it belongs to one configuration, because the memory is made
 * with the providers. A yes is believed as long as its `Verdict.holds` says so; a no for as long as its provider allows;
 * that nobody can say is not remembered. Concurrent requests with one new token share one verification. A yes that can be
 * renewed is, shortly before its end, when somebody comes with the token; no token outlives its request by more than such
 * a question takes.
 */
export const makeVerifiedTokens = Effect.gen(function*(): Effect.fn.Return<
  VerifiedTokens,
  never,
  ProviderRegistry | Digest.Digest
> {
  const registry = yield* ProviderRegistry
  const digestOf = yield* makeTokenDigest
  const sha256 = yield* Sha256
  const clock = yield* Clock.Clock
  const sharedIo = yield* SharedIo
  const count = yield* makeCountVerdict

  const accepted = makeRecentlyUsed<Accepted>(acceptedCapacity)
  const refused = makeRecentlyUsed<Refused>(refusedCapacity)

  // Open questions only: an entry holds the fiber that asked, and with it the token.
  const questions = yield* Cache.makeWith((_digest: string) => Effect.flatten(Question), {
    capacity: Number.POSITIVE_INFINITY,
    timeToLive: () => 0,
    requireServicesAt: "lookup"
  })

  const ask = Effect.fnUntracedEager(function*(digest: string, token: BearerToken) {
    const { refusalMillis, verify } = yield* registry.select(token)
    const answer = verify.pipe(
      Effect.mapEager(({ holds, identity }) => {
        if (holds !== undefined) {
          accepted.set(digest, { identity, holds, renewFrom: holds.renewFrom ?? Number.POSITIVE_INFINITY })
        }
        return identity
      }),
      Effect.mapErrorEager((error) => {
        if (error._tag !== "ProviderUnavailable") accepted.remove(digest)
        if (refusalMillis !== undefined && error._tag !== "ProviderUnavailable") {
          refused.set(digest, { error, until: clock.currentTimeMillisUnsafe() + refusalMillis })
        }
        return error
      })
    )
    return yield* Exit.isExit(answer) || !sharedIo
      ? answer
      : Effect.provideService(Cache.get(questions, digest), Question, answer)
  })

  const verify = Effect.fnUntracedEager(function*(token: BearerToken): Effect.fn.Return<Identity, VerificationError> {
    const digest = yield* digestOf(Redacted.value(token))
    const now = clock.currentTimeMillisUnsafe()
    const yes = accepted.get(digest)
    if (yes !== undefined) {
      const { holds, identity } = yes
      if (now < holds.until && (holds.known(now) || (yield* holds.confirm))) {
        count("hit")
        // Where nothing goes on behind a response, the token is verified anew at its end.
        if (now >= yes.renewFrom && sharedIo) {
          yes.renewFrom = now + renewalPauseMillis
          yield* Effect.forkDetach(Effect.ignoreCause(asKnown(ask(digest, token))))
        }
        return identity
      }
      accepted.remove(digest)
    }
    count("miss")
    const no = refused.get(digest)
    return no !== undefined && now < no.until
      ? yield* Exit.fail(no.error)
      : yield* yes === undefined ? ask(digest, token) : asKnown(ask(digest, token))
  })

  return {
    verify: (token) => Effect.suspend(() => verify(token)),
    known: sha256 === undefined ? undefined : (token) => {
      const yes = accepted.get(sha256(token))
      if (yes === undefined) return undefined
      const now = clock.currentTimeMillisUnsafe()
      // What is due for renewal is left to `verify`, which has the time for it.
      if (now >= yes.holds.until || (now >= yes.renewFrom && sharedIo) || !yes.holds.known(now)) return undefined
      count("hit")
      return yes.identity
    }
  }
})

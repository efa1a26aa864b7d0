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
import type { Validity, Verdict } from "./Verdict.ts"
import { makeCountVerdict } from "./verdictMetrics.ts"
import type { SharedVerdict, VerdictStore } from "./verdictStore.ts"

/** The verification of one token that several requests wait for. */
class PendingVerification extends Context.Service<PendingVerification, Effect.Effect<Identity, VerificationError>>()(
  "mcp-authorizer/verify/VerifiedTokens/PendingVerification"
) {}

/** Entries; the least recently used one goes first. Refusals have their own, so that a flood of them evicts no caller. */
const acceptedCapacity = 8_192
const rejectedCapacity = 1_000

// After a renewal that brought nothing, the next one waits this long.
const renewalPauseMillis = 10_000

/** Nobody can invent a token that was good before: it need not wait behind those that may be invented. */
const asKnown = Effect.updateService(Asker, (asker): Asker => ({ ...asker, isKnown: true }))

interface Accepted {
  readonly identity: Identity
  readonly validity: Validity
  renewFrom: number
}

interface Refused {
  readonly error: Exclude<VerificationError, ProviderUnavailable>
  readonly until: number
}

/** Says whether a fresh verification would still say yes, as far as that can be said at once. */
const isValid = ({ from = 0, key, until }: Validity, now: number): boolean =>
  now >= from && now < until && (key === undefined || key.keys.peek(key.header) === key.key)

/** The same with time for finding out about the key. By reference: to Effect's structural equality any two are equal. */
const confirm = ({ key, ...times }: Validity, clock: Clock.Clock): Effect.Effect<boolean> =>
  key === undefined
    ? Effect.succeed(false)
    : Effect.map(
      Effect.orElseSucceed(key.keys.find(key.header), () => undefined),
      (found) => found === key.key && isValid(times, clock.currentTimeMillisUnsafe())
    )

/** The verifier of all tokens, and its memory. */
export interface VerifiedTokens {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
  /** As `TokenVerifier.peek`; `undefined` where the host has no digest at once. */
  readonly peek: ((token: string) => Identity | undefined) | undefined
}

/**
 * Verifies tokens, and does not verify one again while nothing has changed.
 *
 * What was said is found by the SHA-256 of the whole token; it belongs to one configuration, because the memory is made
 * with the providers. A yes is believed as long as its `Verdict.validity` says; a no for as long as its provider allows;
 * that nobody can say is not remembered. Concurrent requests with one new token share one verification. A yes that can be
 * renewed is, shortly before its end, when somebody comes with the token; no token outlives its request by more than such
 * a question takes.
 *
 * @param store where instances leave verdicts to each other; it is asked before the provider is
 */
export const makeVerifiedTokens = Effect.fnUntraced(function*(
  store?: VerdictStore
): Effect.fn.Return<VerifiedTokens, never, ProviderRegistry | Digest.Digest> {
  const registry = yield* ProviderRegistry
  const digestOf = yield* makeTokenDigest
  const sha256 = yield* Sha256
  const clock = yield* Clock.Clock
  const sharedIo = yield* SharedIo
  const count = yield* makeCountVerdict

  const accepted = makeRecentlyUsed<Accepted>(acceptedCapacity)
  const refused = makeRecentlyUsed<Refused>(rejectedCapacity)

  // Open questions only: an entry holds the fiber that asked, and with it the token.
  const questions = yield* Cache.makeWith((_digest: string) => Effect.flatten(PendingVerification), {
    capacity: Number.POSITIVE_INFINITY,
    timeToLive: () => 0,
    requireServicesAt: "lookup"
  })

  /** The same verification, whose outcome is left to other instances. */
  const shared = (
    answer: Effect.Effect<Verdict, VerificationError>,
    { accept, refuse }: SharedVerdict,
    rejectionMillis: number | undefined
  ) =>
    answer.pipe(
      Effect.tap(({ identity, validity }) => validity === undefined ? Effect.void : accept(identity, validity)),
      Effect.tapErrorTag("InvalidToken", (error) =>
        rejectionMillis === undefined
          ? Effect.void
          : refuse(error, clock.currentTimeMillisUnsafe() + rejectionMillis))
    )

  const ask = Effect.fnUntracedEager(function*(digest: string, token: BearerToken, others?: SharedVerdict) {
    const { rejectionMillis, verify } = yield* registry.select(token)
    const answer = (others === undefined ? verify : shared(verify, others, rejectionMillis)).pipe(
      Effect.mapEager(({ identity, validity }) => {
        if (validity !== undefined) {
          accepted.set(digest, { identity, validity, renewFrom: validity.renewFrom ?? Number.POSITIVE_INFINITY })
        }
        return identity
      }),
      Effect.mapErrorEager((error) => {
        if (error._tag !== "ProviderUnavailable") accepted.remove(digest)
        if (rejectionMillis !== undefined && error._tag !== "ProviderUnavailable") {
          refused.set(digest, { error, until: clock.currentTimeMillisUnsafe() + rejectionMillis })
        }
        return error
      })
    )
    return yield* Exit.isExit(answer) || !sharedIo
      ? answer
      : Effect.provideService(Cache.get(questions, digest), PendingVerification, answer)
  })

  const verify = Effect.fnUntracedEager(function*(token: BearerToken): Effect.fn.Return<Identity, VerificationError> {
    const digest = yield* digestOf(Redacted.value(token))
    const now = clock.currentTimeMillisUnsafe()
    const yes = accepted.get(digest)
    if (yes !== undefined) {
      const { identity, validity } = yes
      if (isValid(validity, now) || (now < validity.until && (yield* confirm(validity, clock)))) {
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
    if (no !== undefined && now < no.until) return yield* Exit.fail(no.error)
    const others = store === undefined ? undefined : yield* store(Redacted.value(token))
    const recalled = others === undefined ? undefined : yield* others.recall
    if (recalled !== undefined) return recalled
    return yield* yes === undefined ? ask(digest, token, others) : asKnown(ask(digest, token, others))
  })

  return {
    verify: (token) => Effect.suspend(() => verify(token)),
    peek: sha256 === undefined ? undefined : (token) => {
      const yes = accepted.get(sha256(token))
      if (yes === undefined) return undefined
      const now = clock.currentTimeMillisUnsafe()
      // What is due for renewal is left to `verify`, which has the time for it.
      if ((now >= yes.renewFrom && sharedIo) || !isValid(yes.validity, now)) return undefined
      count("hit")
      return yes.identity
    }
  }
})

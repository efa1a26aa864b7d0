import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { carryOverValue } from "../config/carryOver.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { ProviderUnavailable, VerificationError } from "../errors/GatewayError.ts"
import { Requester } from "../fairness/Requester.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { runAfterResponse, WaitUntil } from "../fairness/WaitUntil.ts"
import type { Identity } from "../identity/Identity.ts"
import { inSpan, isTraced } from "../trace/spans.ts"
import { type ProviderOrigin, ProviderRegistry, type SelectedProvider } from "./ProviderRegistry.ts"
import { makeRecentlyUsed, type RecentlyUsed } from "./recentlyUsed.ts"
import type { ReplicaVerdicts } from "./replicaVerdicts.ts"
import { makeTokenDigest, Sha256, withDigest } from "./tokenDigest.ts"
import type { Validity, Verdict } from "./Verdict.ts"
import { makeCountVerdict } from "./verdictMetrics.ts"
import { claimedVerdict, type SharedVerdict, type VerdictStore } from "./verdictStore.ts"

/** The verification of one token, shared by the requests that wait for it. */
class PendingVerification extends Context.Service<PendingVerification, Effect.Effect<Identity, VerificationError>>()(
  "mcp-authorizer/verify/VerifiedTokens/PendingVerification"
) {}

/**
 * The maximum numbers of cached verdicts. If there are more, the least recently used are evicted. Rejections are
 * counted separately, so that a flood of them evicts no accepted token.
 */
const acceptedCapacity = 8_192
const rejectedCapacity = 1_000

const renewalPauseMillis = 10_000

/** Marks a token as accepted before. An attacker cannot invent such a token, so it does not queue with unknown ones. */
const asKnown = Effect.updateService(Requester, (requester): Requester => ({ ...requester, isKnown: true }))

/** The configuration that a verdict comes from, and which of its providers. */
interface Origin {
  readonly epoch: object
  readonly origin: ProviderOrigin | undefined
}

interface Accepted extends Origin {
  readonly identity: Identity
  readonly validity: Validity
  renewFrom: number
}

interface Rejected extends Origin {
  readonly error: Exclude<VerificationError, ProviderUnavailable>
  readonly until: number
}

/** The verdicts about the tokens of one server, which its configurations share. */
interface Verdicts {
  readonly accepted: RecentlyUsed<Accepted>
  readonly rejected: RecentlyUsed<Rejected>
}

const noVerdicts = (): Verdicts => ({
  accepted: makeRecentlyUsed<Accepted>(acceptedCapacity),
  rejected: makeRecentlyUsed<Rejected>(rejectedCapacity)
})

/** Builds the comparison of providers of two configurations, which remembers its results. */
const makeIsSameProvider = () => {
  const compared = new WeakMap<ProviderOrigin, boolean>()
  return (earlier: ProviderOrigin, own: ProviderOrigin): boolean => {
    // No two providers of one configuration have the same name.
    if (earlier.provider.name !== own.provider.name) return false
    const known = compared.get(earlier)
    if (known !== undefined) return known
    const isSame = earlier.http === own.http && earlier.clockSkewSeconds === own.clockSkewSeconds &&
      Equal.equals(earlier.provider, own.provider)
    compared.set(earlier, isSame)
    return isSame
  }
}

/** The validity of a reused verdict. Its key is looked up in the key sets of this configuration. */
const withKeysOf = ({ keys }: SelectedProvider, { key, ...rest }: Validity): Validity => ({
  ...rest,
  ...(key === undefined || keys === undefined ? {} : { key: { ...key, keys } })
})

/** Returns whether a fresh verification would still accept the token, as far as that is known synchronously. */
const isValid = ({ from = 0, key, until }: Validity, now: number): boolean =>
  now >= from && now < until && (key === undefined || key.keys.peek(key.header) === key.key)

/**
 * Like `isValid`, but may fetch the key. Keys are compared by reference: structural equality treats any two as equal.
 */
const confirm = ({ key, ...times }: Validity, clock: Clock.Clock): Effect.Effect<boolean> =>
  key === undefined
    ? Effect.succeed(false)
    : Effect.map(
      Effect.orElseSucceed(key.keys.find(key.header), () => undefined),
      (found) => found === key.key && isValid(times, clock.currentTimeMillisUnsafe())
    )

export interface VerifiedTokens {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
  /** Like `TokenVerifier.peek`; `undefined` if the host has no synchronous digest. */
  readonly peek: ((token: string) => Identity | undefined) | undefined
}

/**
 * Builds the verifier, which does not verify a token again while its verdict is valid.
 *
 * Verdicts are stored under the SHA-256 of the whole token, and belong to one configuration. The next configuration
 * takes over a verdict if its provider is unchanged and would be selected again. An accepted token is cached as long as
 * its `Verdict.validity` permits, a rejection as long as its provider permits, and an unavailable provider not at all.
 * Concurrent requests with the same new token share one verification. Shortly before a verdict ends, a request with the
 * token renews it in the background. A token is kept in memory after its request only while such a renewal runs.
 *
 * @param store shares verdicts between instances that live for one request only. Read before the provider is requested
 * @param name distinguishes the verdicts of several verifiers of one server
 * @param replicas shares verdicts about opaque tokens with other replicas
 */
export const makeVerifiedTokens = Effect.fnUntraced(function*(
  store?: VerdictStore,
  name = "verdicts",
  replicas?: ReplicaVerdicts
): Effect.fn.Return<VerifiedTokens, never, ProviderRegistry | Digest.Digest> {
  const registry = yield* ProviderRegistry
  const digestOf = yield* makeTokenDigest
  const sha256 = yield* Sha256
  const clock = yield* Clock.Clock
  const sharedIo = yield* SharedIo
  const count = yield* makeCountVerdict

  const { accepted, rejected } = yield* carryOverValue(name, undefined, noVerdicts)
  const epoch = {}
  const isSameProvider = makeIsSameProvider()

  /**
   * Given a verdict of another configuration, returns the provider of this configuration that takes it over: the
   * unchanged one, if it is responsible for the token.
   */
  const successor = Effect.fnUntracedEager(function*({ origin }: Origin, token: BearerToken) {
    if (origin === undefined) return undefined
    const selected = yield* Effect.orElseSucceed(registry.select(token), () => undefined)
    return selected?.origin !== undefined && isSameProvider(origin, selected.origin) ? selected : undefined
  })

  /** Returns the verdict about an accepted token, if it was made in this configuration or can be taken over. */
  const acceptedAs = Effect.fnUntracedEager(function*(digest: string, token: BearerToken) {
    const known = accepted.get(digest)
    if (known === undefined || known.epoch === epoch) return known
    const selected = yield* successor(known, token)
    if (selected === undefined) return undefined
    const taken: Accepted = { ...known, validity: withKeysOf(selected, known.validity), epoch, origin: selected.origin }
    accepted.set(digest, taken)
    return taken
  })

  /** Like `acceptedAs`, for a rejected token. */
  const rejectedAs = Effect.fnUntracedEager(function*(digest: string, token: BearerToken) {
    const known = rejected.get(digest)
    if (known === undefined || known.epoch === epoch) return known
    const selected = yield* successor(known, token)
    if (selected === undefined) return undefined
    const taken: Rejected = { ...known, epoch, origin: selected.origin }
    rejected.set(digest, taken)
    return taken
  })

  // Entries exist only while a verification runs, because they keep the verifying fiber, and with it the token, in
  // memory.
  const pending = yield* Cache.makeWith((_digest: string) => Effect.flatten(PendingVerification), {
    capacity: Number.POSITIVE_INFINITY,
    timeToLive: () => 0,
    requireServicesAt: "lookup"
  })

  /** The same verification, with its verdict shared with other instances. */
  const shared = (
    verdict: Effect.Effect<Verdict, VerificationError>,
    others: SharedVerdict,
    rejectionMillis: number | undefined,
    isOpaque: boolean
  ) => {
    const { accept, reject } = others
    const own = verdict.pipe(
      Effect.tap(({ identity, validity }) => validity === undefined ? Effect.void : accept(identity, validity)),
      Effect.tapErrorTag("InvalidToken", (error) =>
        rejectionMillis === undefined
          ? Effect.void
          : reject(error, clock.currentTimeMillisUnsafe() + rejectionMillis))
    )
    return isOpaque ? claimedVerdict(own, others) : own
  }

  const verifyUntraced = Effect.fnUntracedEager(function*(
    digest: string,
    token: BearerToken,
    isTracing: boolean,
    others?: SharedVerdict,
    renews?: number
  ) {
    const selected = yield* registry.select(token)
    const { isOpaque = false, name, origin, rejectionMillis } = selected
    if (isTracing) yield* Effect.annotateCurrentSpan({ "mcp_authorizer.provider": name })
    const verify = replicas !== undefined && isOpaque && origin !== undefined
      ? replicas({ token: Redacted.value(token), origin, verify: selected.verify, rejectionMillis, renews })
      : selected.verify
    const verdict = (others === undefined ? verify : shared(verify, others, rejectionMillis, isOpaque)).pipe(
      Effect.mapEager((found) => {
        const { validity } = found
        if (validity === undefined) return found.identity
        const identity = withDigest(found.identity, digest)
        const renewFrom = validity.renewFrom ?? Number.POSITIVE_INFINITY
        accepted.set(digest, { identity, validity, renewFrom, epoch, origin })
        return identity
      }),
      Effect.mapErrorEager((error) => {
        if (error._tag !== "ProviderUnavailable") accepted.remove(digest)
        if (rejectionMillis !== undefined && error._tag !== "ProviderUnavailable") {
          rejected.set(digest, { error, until: clock.currentTimeMillisUnsafe() + rejectionMillis, epoch, origin })
        }
        return error
      })
    )
    return yield* Exit.isExit(verdict) || !sharedIo
      ? verdict
      : Effect.provideService(Cache.get(pending, digest), PendingVerification, verdict)
  })

  /** Verifies a token that has no valid verdict, in a span if the program has a tracer. */
  const verifyAnew = (
    digest: string,
    token: BearerToken,
    isTracing: boolean,
    others?: SharedVerdict,
    renews?: number
  ) =>
    isTracing
      ? inSpan("mcp-authorizer.verify", {}, Effect.suspend(() => verifyUntraced(digest, token, true, others, renews)))
      : verifyUntraced(digest, token, false, others, renews)

  const verify = Effect.fnUntracedEager(function*(
    token: BearerToken,
    isTracing: boolean
  ): Effect.fn.Return<Identity, VerificationError> {
    const digest = yield* digestOf(Redacted.value(token))
    const now = clock.currentTimeMillisUnsafe()
    const known = yield* acceptedAs(digest, token)
    if (known !== undefined) {
      const { identity, validity } = known
      if (isValid(validity, now) || (now < validity.until && (yield* confirm(validity, clock)))) {
        count("hit")
        // Skipped if nothing can run after a response: then the token is verified again when its verdict ends.
        if (now >= known.renewFrom && (sharedIo || (yield* WaitUntil) !== undefined)) {
          known.renewFrom = now + renewalPauseMillis
          const renewal = asKnown(verifyAnew(digest, token, isTracing, undefined, validity.until))
          yield* sharedIo ? Effect.forkDetach(Effect.ignoreCause(renewal)) : runAfterResponse(renewal)
        }
        return identity
      }
      accepted.remove(digest)
    }
    count("miss")
    const rejection = yield* rejectedAs(digest, token)
    if (rejection !== undefined && now < rejection.until) return yield* Exit.fail(rejection.error)
    const others = store === undefined ? undefined : yield* store(Redacted.value(token))
    const recalled = others === undefined ? undefined : yield* others.recall
    if (recalled !== undefined) return recalled
    const verification = verifyAnew(digest, token, isTracing, others)
    return yield* known === undefined ? verification : asKnown(verification)
  })

  return {
    verify: (token) => Effect.withFiber((fiber) => verify(token, isTraced(fiber))),
    peek: sha256 === undefined ? undefined : (token) => {
      const known = accepted.get(sha256(token))
      // Only `verify` decides whether a verdict of another configuration can be used.
      if (known === undefined || known.epoch !== epoch) return undefined
      const now = clock.currentTimeMillisUnsafe()
      // Only `verify` can renew the verdict, because that may take time.
      if ((now >= known.renewFrom && sharedIo) || !isValid(known.validity, now)) return undefined
      count("hit")
      return known.identity
    }
  }
})

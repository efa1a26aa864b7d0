/** Sharing verdicts about opaque tokens between replicas, so that the provider is requested once for all of them. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { InvalidToken, type InvalidTokenReason, type VerificationError } from "../errors/GatewayError.ts"
import { awaitOthers, type Entries } from "../remote/SharedEntries.ts"
import type { ProviderOrigin } from "./ProviderRegistry.ts"
import type { Verdict } from "./Verdict.ts"
import * as Entry from "./verdictEntry.ts"

/**
 * The store in which replicas share verdicts about opaque tokens: `SharedEntries`, unless the operator has switched
 * that off.
 */
export const SharedVerdictEntries = Context.Reference<Entries<never> | undefined>(
  "mcp-authorizer/verify/replicaVerdicts/SharedVerdictEntries",
  { defaultValue: () => undefined }
)

export interface ReplicaVerification {
  readonly token: string
  readonly origin: ProviderOrigin
  readonly verify: Effect.Effect<Verdict, VerificationError>
  /** How long a rejection is shared; `undefined` if it is not shared. */
  readonly rejectionMillis: number | undefined
  /**
   * When the verdict that is to be renewed ends; `undefined` if there is none. A stored verdict that ends no later is
   * not used.
   */
  readonly renews: number | undefined
}

/** Returns the verdict of another replica, or verifies the token and shares the verdict. */
export type ReplicaVerdicts = (verification: ReplicaVerification) => Effect.Effect<Verdict, VerificationError>

/** In characters. Longer entries are neither written nor read. Claims of a token are a few kilobytes. */
const maxLength = 65_536

/** How long one replica may take for its request to the provider before another replica sends the same request. */
const claimMillis = 5_000

/** Reasons of rejections that depend on the clock of the replica. */
const timed: ReadonlySet<InvalidTokenReason> = new Set<InvalidTokenReason>(["Expired", "NotYetValid"])

/**
 * Builds the function that shares verdicts in `SharedVerdictEntries`; `undefined` if there is no such store.
 *
 * A verdict is shared as long as it would be cached in memory, and ends at the same time in every replica. It is used
 * only with the settings that it was made with. While one replica requests the provider, others wait for its verdict
 * for a quarter of a second, and then send their own request. Failures of the provider are not shared.
 */
export const makeReplicaVerdicts = Effect.map(SharedVerdictEntries, (entries): ReplicaVerdicts | undefined => {
  if (entries === undefined) return undefined

  const recall = Effect.fnUntraced(function*(
    digest: string,
    renews: number | undefined
  ): Effect.fn.Return<Exit.Exit<Verdict, InvalidToken> | undefined> {
    const text = yield* entries.get(Entry.replicaEntry(digest), maxLength)
    if (text === undefined) return undefined
    const now = yield* Clock.currentTimeMillis
    const accepted = Entry.accepted(text, digest, now)
    if (accepted !== undefined) {
      const { identity, madeAt = now, renewFrom, until } = accepted
      // If the clocks of two replicas differ, the verdict must not last longer here than the other replica intended.
      const end = Math.min(until, now + until - madeAt)
      return renews !== undefined && end <= renews
        ? undefined
        : Exit.succeed({ identity, validity: { until: end, renewFrom } })
    }
    const rejected = Entry.rejected(text, digest, now)
    return rejected && Exit.fail(
      new InvalidToken({
        provider: rejected.provider,
        reason: rejected.reason,
        detail: "rejected recently, by another replica"
      })
    )
  })

  const share = (digest: string, verdict: Entry.Accepted | Entry.Rejected, millis: number) => {
    const text = Entry.written(digest, verdict)
    return text.length > maxLength ? Effect.void : entries.set(Entry.replicaEntry(digest), text, millis)
  }

  const shareAccepted = (digest: string, { identity, validity }: Verdict) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (madeAt) =>
        validity === undefined || validity.isLocal === true || validity.key !== undefined ||
          !Number.isFinite(validity.until)
          ? Effect.void
          : share(
            digest,
            { until: validity.until, renewFrom: validity.renewFrom, madeAt, identity, keys: undefined },
            validity.until - madeAt
          )
    )

  const shareRejected = (digest: string, { provider, reason }: InvalidToken, millis: number) =>
    timed.has(reason)
      ? Effect.void
      : Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => share(digest, { until: now + millis, provider, reason }, millis)
      )

  return Effect.fnUntraced(function*({ origin, rejectionMillis, renews, token, verify }) {
    const { clockSkewSeconds, provider } = origin
    const digest = yield* Effect.promise(() => Entry.digestOf({ clockSkewSeconds, providers: [provider] }, token))
    const look = recall(digest, renews)
    const found = (yield* look) ??
      ((yield* entries.claim(Entry.replicaEntry(digest), claimMillis))
        ? undefined
        : yield* awaitOthers(look, "quarter"))
    if (found !== undefined) return yield* found
    return yield* verify.pipe(
      Effect.tap((verdict) => shareAccepted(digest, verdict)),
      Effect.tapErrorTag(
        "InvalidToken",
        (error) => rejectionMillis === undefined ? Effect.void : shareRejected(digest, error, rejectionMillis)
      )
    )
  })
})

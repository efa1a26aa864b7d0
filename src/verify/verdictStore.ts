import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { InvalidToken, type VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { awaitOthers, StoreClaims } from "../remote/SharedEntries.ts"
import type { Validity, Verdict } from "./Verdict.ts"
import * as Entry from "./verdictEntry.ts"

/** The shared verdict about one token. Only `recall` can fail. */
export interface SharedVerdict {
  /**
   * Returns the identity that another instance has established, if it is still valid. Fails if that instance rejected
   * the token.
   */
  readonly recall: Effect.Effect<Identity | undefined, InvalidToken>
  readonly accept: (identity: Identity, validity: Validity) => Effect.Effect<void>
  readonly reject: (error: InvalidToken, until: number) => Effect.Effect<void>
  /** Returns whether this instance should request the provider; if not, another one is already doing so. */
  readonly claim: Effect.Effect<boolean>
  /** Ends the claim of this instance, or that of the instance it has waited for. */
  readonly release: Effect.Effect<void>
}

/** Verifies a token at its provider. If another instance is already doing so, waits for its verdict. */
export const claimedVerdict = (
  verdict: Effect.Effect<Verdict, VerificationError>,
  { claim, recall, release }: SharedVerdict
): Effect.Effect<Verdict, VerificationError> => {
  const orVerdict = (found: Effect.Effect<Identity | undefined, VerificationError>) =>
    Effect.flatMap(
      found,
      (identity) =>
        identity === undefined ? Effect.ensuring(verdict, release) : Effect.succeed({ identity, validity: undefined })
    )
  return Effect.flatMap(claim, (isOurs) =>
    isOurs
      // The other instance may have finished in between: then its verdict is stored.
      ? Effect.ensuring(orVerdict(recall), release)
      : orVerdict(awaitOthers(recall, "second")))
}

export type VerdictStore = (token: string) => Effect.Effect<SharedVerdict>

/**
 * Builds the part of the cache of verdicts that instances share through the `KeyValueStore`.
 *
 * An accepted token is shared until its validity ends or its issuer's keys change, and a rejection as long as its
 * provider permits. Verdicts about static tokens are not shared.
 */
export const makeVerdictStore = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore
  const settings = yield* GatewayConfig
  const claims = yield* StoreClaims

  // If the store fails, every token is verified again. The store logs its own failures.
  const read = (entry: string) => Effect.orElseSucceed(store.get(entry), () => undefined)
  const write = (entry: string, digest: string, verdict: Entry.Accepted | Entry.Rejected) =>
    Effect.ignore(store.set(entry, Entry.written(digest, verdict)))

  const recall = Effect.fnUntraced(function*(digest: string): Effect.fn.Return<Identity | undefined, InvalidToken> {
    const now = yield* Clock.currentTimeMillis
    const known = Entry.accepted(yield* read(Entry.verdictEntry(digest)), digest, now)
    if (known?.keys !== undefined) {
      return Entry.stillPublished(yield* read(known.keys.entry), known.keys, now) ? known.identity : undefined
    }
    if (known !== undefined) return known.identity
    const rejection = Entry.rejected(yield* read(Entry.rejectionEntry(digest)), digest, now)
    if (rejection === undefined) return undefined
    return yield* new InvalidToken({
      provider: rejection.provider,
      reason: rejection.reason,
      detail: "rejected recently, by another instance"
    })
  })

  return (token: string): Effect.Effect<SharedVerdict> =>
    Effect.map(Effect.promise(() => Entry.digestOf(settings, token)), (digest) => ({
      recall: recall(digest),
      accept: (identity, { isLocal, key, until }) => {
        const keys = key?.keys.shared?.(key.header, key.key)
        // Verdicts that depend on a key which other instances cannot look up are not shared.
        return isLocal === true || !Number.isFinite(until) || (key !== undefined && keys === undefined)
          ? Effect.void
          : write(Entry.verdictEntry(digest), digest, { until, identity, keys })
      },
      claim: claims.claim(Entry.verdictEntry(digest)),
      release: claims.release(Entry.verdictEntry(digest)),
      reject: ({ provider, reason }, until) => write(Entry.rejectionEntry(digest), digest, { until, provider, reason })
    }))
})

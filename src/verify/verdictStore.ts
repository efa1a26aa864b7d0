import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { InvalidToken } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Validity } from "./Verdict.ts"
import * as Entry from "./verdictEntry.ts"

/** What instances leave to each other about one token. Nothing but `recall` fails. */
export interface SharedVerdict {
  /** Whom others have found, if that still holds. Fails with their refusal. */
  readonly recall: Effect.Effect<Identity | undefined, InvalidToken>
  readonly accept: (identity: Identity, validity: Validity) => Effect.Effect<void>
  readonly refuse: (error: InvalidToken, until: number) => Effect.Effect<void>
}

/** Opens what is known about a token. */
export type VerdictStore = (token: string) => Effect.Effect<SharedVerdict>

/**
 * Makes the part of the memory of verdicts that instances share through the `KeyValueStore`.
 *
 * A yes is shared until its validity ends, or its issuer's keys change; refusals as long as their provider allows. Static
 * tokens are not.
 */
export const makeVerdictStore = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore
  const settings = yield* GatewayConfig

  // Without the store everything is asked anew, and the store itself says why in the log.
  const read = (entry: string) => Effect.orElseSucceed(store.get(entry), () => undefined)
  const write = (entry: string, digest: string, verdict: Entry.Accepted | Entry.Refused) =>
    Effect.ignore(store.set(entry, Entry.written(digest, verdict)))

  const recall = Effect.fnUntraced(function*(digest: string): Effect.fn.Return<Identity | undefined, InvalidToken> {
    const now = yield* Clock.currentTimeMillis
    const yes = Entry.accepted(yield* read(Entry.verdictEntry(digest)), digest, now)
    if (yes?.keys !== undefined) {
      return Entry.stillPublished(yield* read(yes.keys.entry), yes.keys, now) ? yes.identity : undefined
    }
    if (yes !== undefined) return yes.identity
    const no = Entry.refused(yield* read(Entry.rejectionEntry(digest)), digest, now)
    if (no === undefined) return undefined
    return yield* new InvalidToken({ provider: no.provider, reason: no.reason, detail: "refused a moment ago" })
  })

  return (token: string): Effect.Effect<SharedVerdict> =>
    Effect.map(Effect.promise(() => Entry.digestOf(settings, token)), (digest) => ({
      recall: recall(digest),
      accept: (identity, { isLocal, key, until }) => {
        const keys = key?.keys.shared?.(key.header, key.key)
        // Keys that nobody else can look up are no use to others.
        return isLocal === true || !Number.isFinite(until) || (key !== undefined && keys === undefined)
          ? Effect.void
          : write(Entry.verdictEntry(digest), digest, { until, identity, keys })
      },
      refuse: ({ provider, reason }, until) => write(Entry.rejectionEntry(digest), digest, { until, provider, reason })
    }))
})

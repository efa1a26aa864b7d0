import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { InvalidToken, type VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { NoteKeys, type UsedKeys } from "../keys/NoteKeys.ts"
import { typeOf } from "../providers/types.ts"
import { maxPositiveMillis, negativeMillis } from "../verify/opaque/verdictLife.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import * as Entry from "./storedVerdict.ts"

const make = Effect.gen(function*() {
  const verifier = yield* TokenVerifier
  const store = yield* KeyValueStore.KeyValueStore
  const settings = yield* GatewayConfig
  const storing = new Map(
    settings.providers.map((provider) => [provider.name, typeOf(settings, provider).stored?.(provider)])
  )

  // Without the store everything is asked anew, and the store itself says why in the log.
  const read = (entry: string) => Effect.catch(store.get(entry), () => Effect.undefined)
  const write = (entry: string, digest: string, verdict: Entry.Accepted | Entry.Refused) =>
    Effect.ignore(store.set(entry, Entry.written(digest, verdict)))

  const recall = Effect.fnUntraced(function*(
    digest: string,
    now: number
  ): Effect.fn.Return<Identity | undefined, InvalidToken> {
    const yes = Entry.accepted(yield* read(Entry.verdictEntry(digest)), digest, now)
    if (yes?.keys !== undefined) {
      return Entry.stillPublished(yield* read(yes.keys.entry), yes.keys, now) ? yes.identity : undefined
    }
    if (yes !== undefined) return yes.identity
    const no = Entry.refused(yield* read(Entry.refusalEntry(digest)), digest, now)
    if (no === undefined) return undefined
    return yield* new InvalidToken({ provider: no.provider, reason: no.reason, detail: "refused a moment ago" })
  })

  const keep = (digest: string, now: number, identity: Identity, keys: UsedKeys | undefined) => {
    const keeping = storing.get(identity.provider)
    const end = identity.expiresAt === undefined ? undefined : identity.expiresAt * 1000
    const until = keeping === "ForATime" ? Math.min(end ?? Number.POSITIVE_INFINITY, now + maxPositiveMillis) : end
    return keeping === undefined || until === undefined || (keeping === "WithItsKeys" && keys === undefined)
      ? Effect.void
      : write(Entry.verdictEntry(digest), digest, { until, identity, keys })
  }

  const ask = Effect.fnUntraced(function*(
    token: Redacted.Redacted<string>,
    digest: string,
    now: number
  ): Effect.fn.Return<Identity, VerificationError> {
    let used: UsedKeys | undefined
    return yield* verifier.verify(token).pipe(
      Effect.provideService(NoteKeys, (keys) => {
        used = keys
      }),
      Effect.tap((identity) => keep(digest, now, identity, used)),
      Effect.tapErrorTag(
        "InvalidToken",
        ({ provider, reason }) =>
          provider !== undefined && storing.get(provider) === "ForATime"
            ? write(Entry.refusalEntry(digest), digest, { until: now + negativeMillis, provider, reason })
            : Effect.void
      )
    )
  })

  return TokenVerifier.of({
    verify: Effect.fnUntraced(function*(token): Effect.fn.Return<Identity, VerificationError> {
      const now = yield* Clock.currentTimeMillis
      const digest = yield* Effect.promise(() => Entry.digestOf(settings, Redacted.value(token)))
      return (yield* recall(digest, now)) ?? (yield* ask(token, digest, now))
    })
  })
})

/**
 * Remembers over instances what was found about tokens, by the rules that one process has on Node: a JWT's yes until the
 * token ends or its issuer's keys change; the yes of a provider that was asked until the token ends, for 5 minutes at
 * most, and its no for 10 seconds.
 *
 * Around the verifier that it is provided with. Nothing is remembered of static tokens, and no other refusals.
 */
export const layer = Layer.effect(TokenVerifier, make)

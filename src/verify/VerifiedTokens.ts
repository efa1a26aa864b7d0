import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import type { Verdict } from "./Verdict.ts"
import { countVerdict } from "./verdictMetrics.ts"

/** The token behind the digest that is looked up. Not part of the cache, so that no token outlives its request. */
class PresentedToken extends Context.Service<PresentedToken, BearerToken>()(
  "mcp-authorizer/verify/VerifiedTokens/PresentedToken"
) {}

/** Entries; the least recently used one goes first. With the length limit they are bounded in bytes, too. */
const capacity = 8_192

/** A longer token is verified each time: its verdict would take the room of many others. */
const maxTokenLength = 4_096

const encoder = new TextEncoder()

/** How long an entry is kept at most: until the token ends, or not at all where only asking anew can tell. */
const keepMillis = (verdict: Verdict, now: number): number =>
  verdict.holds === undefined ? 0 : Math.max((verdict.identity.expiresAt ?? 0) * 1000 - now, 0)

/**
 * Verifies tokens, and does not verify one again while nothing has changed.
 *
 * A verdict is found by the SHA-256 of the whole token; it belongs to one configuration, because the cache is made with
 * the providers. It is believed as long as `Verdict.holds` says so, and forgotten when the token ends. Only a yes is
 * remembered. Concurrent requests with one new token share one verification.
 */
export const makeVerifiedTokens = Effect.gen(function*() {
  const registry = yield* ProviderRegistry
  const { digestHex } = yield* Digest.Digest

  const verify = (token: BearerToken): Effect.Effect<Verdict, VerificationError> =>
    Effect.flatMap(registry.select(token), (provider) => provider.verify)

  const lookUp = Effect.gen(function*() {
    const verdict = yield* verify(yield* PresentedToken)
    return { verdict, keepMillis: keepMillis(verdict, yield* Clock.currentTimeMillis) }
  })
  const verdicts = yield* Cache.makeWith((_digest: string) => lookUp, {
    capacity,
    timeToLive: (exit) => Exit.isSuccess(exit) ? exit.value.keepMillis : 0,
    requireServicesAt: "lookup"
  })

  return Effect.fnUntraced(function*(token: BearerToken): Effect.fn.Return<Verdict, VerificationError> {
    const text = Redacted.value(token)
    if (text.length > maxTokenLength) return yield* verify(token)
    const digest = yield* digestHex(Digest.sha256, encoder.encode(text))
    const known = yield* Cache.getSuccess(verdicts, digest)
    if (Option.isSome(known)) {
      const { verdict } = known.value
      if (verdict.holds !== undefined && (yield* verdict.holds)) {
        yield* countVerdict("hit")
        return verdict
      }
      yield* Cache.invalidate(verdicts, digest)
    }
    const { verdict } = yield* Effect.provideService(Cache.get(verdicts, digest), PresentedToken, token)
    // The others count for themselves.
    if (verdict.holds !== undefined) yield* countVerdict("miss")
    return verdict
  })
})

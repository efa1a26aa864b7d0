/**
 * The verdicts of an embedding program's own function, cached and guarded like those of the gateway's own providers.
 */
import * as Clock from "effect/Clock"
import type * as Digest from "effect/crypto/Digest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BearerToken } from "../credential/BearerToken.ts"
import { ProviderUnavailable, type VerificationError } from "../errors/GatewayError.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import type { Identity } from "../identity/Identity.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { makeGuard } from "./opaque/guard.ts"
import { maxPositiveMillis, negativeMillis, renewedAheadMillis } from "./opaque/verdictLife.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { makeVerifiedTokens, type VerifiedTokens } from "./VerifiedTokens.ts"

/** How the verdicts of a verifier for a prefix are cached and guarded. */
export interface PrefixOptions {
  /**
   * How long verdicts are cached in this process. By default, accepted tokens for 5 minutes and at most until they
   * expire, rejected ones for 10 seconds. A revoked key can remain accepted for as long. With `false`, each request
   * verifies its token. A verdict is renewed shortly before it ends, so that no request waits. The failure of an
   * unavailable provider is not cached.
   */
  readonly remember?: false | {
    readonly accepted?: Duration.Input | undefined
    readonly rejected?: Duration.Input | undefined
  } | undefined
  /**
   * Whether the function is guarded: at most 32 calls run at a time, and others wait in turns by peer, each for at most
   * 6 seconds. After several `ProviderUnavailable` in a row the function is not called for 10 seconds, or until a call
   * succeeds. Default: `true`.
   */
  readonly breaker?: boolean | undefined
}

const unavailable = (provider: string, detail: string, cause?: unknown) =>
  new ProviderUnavailable({ provider, detail, retryAfter: retryAfterSeconds, cause })

/**
 * Builds the verification of tokens with a prefix.
 *
 * @param prefix the prefix, which without separators at its end becomes the provider's name in log entries
 */
export const makePrefixVerdicts = Effect.fnUntraced(function*(
  prefix: string,
  verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>,
  { breaker = true, remember = {} }: PrefixOptions
): Effect.fn.Return<VerifiedTokens, never, Digest.Digest> {
  const name = prefix.replace(/[^A-Za-z0-9]+$/, "")
  const guard = breaker
    ? makeGuard<VerificationError>({
      isProviderFailure: ({ _tag }) => _tag === "ProviderUnavailable",
      overloaded: () => unavailable(name, "too many concurrent verifications, or one that took too long"),
      circuitOpen: (last) =>
        unavailable(
          name,
          last?._tag === "ProviderUnavailable" ? `paused after ${last.detail}` : "paused",
          last?._tag === "ProviderUnavailable" ? last.cause : undefined
        )
    }, yield* SharedIo)
    : undefined
  const acceptedMillis = remember === false
    ? undefined
    : Duration.toMillis(remember.accepted ?? maxPositiveMillis)
  const rejectionMillis = remember === false ? undefined : Duration.toMillis(remember.rejected ?? negativeMillis)

  const verdictOf = Effect.fnUntraced(function*(token: BearerToken) {
    const identity = yield* (guard === undefined ? verify(token) : guard(verify(token)))
    if (acceptedMillis === undefined) return { identity, validity: undefined }
    const longest = (yield* Clock.currentTimeMillis) + acceptedMillis
    const until = Math.min((identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000, longest)
    const renewFrom = until === longest && acceptedMillis > renewedAheadMillis ? until - renewedAheadMillis : undefined
    return { identity, validity: { until, renewFrom, isLocal: true } }
  })

  const registry = ProviderRegistry.of({
    select: (token) => Effect.succeed({ name, verify: verdictOf(token), rejectionMillis }),
    readiness: Effect.succeed([])
  })
  return yield* Effect.provideService(
    makeVerifiedTokens(undefined, `verdicts of ${prefix}`),
    ProviderRegistry,
    registry
  )
})

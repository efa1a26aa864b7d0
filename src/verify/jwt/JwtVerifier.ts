import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { issuersOf } from "../../config/kinds/issuerTemplate.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import type { KeysUnavailable, UnknownKey } from "../../keys/JwksCache.ts"
import type { SharedKeys } from "../../keys/JwksSource.ts"
import type { KeyHeader } from "../../keys/KeySet.ts"
import { own } from "../../remote/JsonObject.ts"
import { identityFromClaims } from "../claims/identity.ts"
import { expiresAt, validFrom } from "../claims/validity.ts"
import type { Inspection } from "../Inspection.ts"
import { type Rejection, rejection, toInvalidToken } from "../Rejection.ts"
import { firstRejection } from "../TokenRule.ts"
import { unavailable } from "../unavailable.ts"
import type { Validity, Verdict } from "../Verdict.ts"
import type { CompactJws } from "./CompactJws.ts"
import { inspectJwt, type InspectKeys } from "./inspectJwt.ts"
import { checkedJwt, claimRules, headerRules, type JwtRules } from "./jwtRules.ts"
import type { CheckSignature } from "./signature.ts"

export interface ProviderKeys {
  readonly find: (header: KeyHeader) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /** Returns synchronously what `find` would find. If it returns `undefined`, call `find`. */
  readonly peek: (header: KeyHeader) => CryptoKey | undefined
  /**
   * The published key set that has this key, in the form that instances share. Left out if the keys are configured,
   * because those never change.
   */
  readonly shared?: ((header: KeyHeader, key: CryptoKey) => SharedKeys | undefined) | undefined
  /** Fetches the keys that the provider publishes now, and describes them for an operator. */
  readonly inspect: InspectKeys
}

/** Verifies a token that has the form of a JWT. Returns an `Exit` if nothing has to be waited for. */
export type VerifyJwt = (jws: CompactJws) => Effect.Effect<Verdict, VerificationError>

export interface JwtVerifier {
  readonly verify: VerifyJwt
  /** Checks every rule about a token, for an operator. Caches nothing. */
  readonly inspect: (jws: CompactJws) => Effect.Effect<Inspection>
}

/** Longer tokens are verified for each request: their claims would take the space of many others in the cache. */
const maxRememberedLength = 4_096

/**
 * Builds the verifier of one JWT provider (RFC 7519, section 7.2; RFC 8725; RFC 9068, section 4).
 *
 * Checks in this order: algorithm, issuer, type, key, signature, kind of token, times, audience, client, subject, scopes.
 * Fails with `InvalidToken`, or with `ProviderUnavailable` if the keys are unavailable.
 *
 * @param skew tolerance for times, in seconds
 */
export const makeJwtVerifier = (
  provider: JwtRules,
  skew: number,
  keys: ProviderKeys,
  checkSignature: CheckSignature,
  clock: Clock.Clock
): JwtVerifier => {
  const { name, tenants } = provider
  const issuers = issuersOf(provider)
  const reject = (reason: Rejection) => toInvalidToken(name, reason)
  const checked = (jws: CompactJws) => checkedJwt(jws, provider, issuers, clock.currentTimeMillisUnsafe(), skew)

  /** One key set may contain the keys of several issuers, so a key is looked up together with its issuer. */
  const keyHeader = ({ claims, header }: CompactJws): KeyHeader => {
    const iss = tenants === undefined ? undefined : own(claims, "iss")
    return typeof iss === "string" ? { ...header, issuer: iss } : header
  }

  // The validity depends on everything about the token that can change: the times, and the published key.
  const validity = ({ claims }: CompactJws, header: KeyHeader, key: CryptoKey): Validity => ({
    from: validFrom(claims, skew) * 1000,
    until: (expiresAt(claims) ?? 0) * 1000,
    key: keys.shared === undefined ? undefined : { keys, header, key }
  })

  const findKey = (header: KeyHeader) =>
    Effect.mapError(
      keys.find(header),
      (failure) =>
        failure._tag === "UnknownKey"
          ? reject(rejection(failure._tag, failure.detail))
          : unavailable(name, failure.detail, failure)
    )

  const signatureOf = (jws: CompactJws, key: CryptoKey) =>
    Effect.mapErrorEager(checkSignature(jws, key), (failure) => unavailable(name, failure.detail, failure))

  const verify = Effect.fnUntracedEager(function*(jws: CompactJws): Effect.fn.Return<Verdict, VerificationError> {
    const unfit = firstRejection(headerRules, checked(jws))
    if (unfit !== undefined) return yield* Exit.fail(reject(unfit))
    const header = keyHeader(jws)
    const key = keys.peek(header) ?? (yield* findKey(header))
    // The times are checked now, because time has passed while the key was fetched.
    const rejected = (yield* signatureOf(jws, key)) ?? firstRejection(claimRules, checked(jws))
    if (rejected !== undefined) return yield* Exit.fail(reject(rejected))
    const identity = identityFromClaims(jws.claims, provider)
    return Result.isSuccess(identity)
      ? {
        identity: identity.success,
        validity: jws.token.length > maxRememberedLength ? undefined : validity(jws, header, key)
      }
      : yield* Exit.fail(reject(identity.failure))
  })

  return {
    verify,
    inspect: (jws) =>
      Effect.suspend(() => {
        const header = keyHeader(jws)
        return inspectJwt(checked(jws), {
          key: findKey(header),
          keys: keys.inspect(header),
          wanted: header,
          signature: (key) => signatureOf(jws, key)
        })
      })
  }
}

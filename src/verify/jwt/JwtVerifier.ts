import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { fillTemplate, issuersOf } from "../../config/kinds/issuerTemplate.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import { show } from "../../errors/show.ts"
import type { KeysUnavailable, UnknownKey } from "../../keys/JwksCache.ts"
import type { SharedKeys } from "../../keys/JwksSource.ts"
import type { KeyHeader } from "../../keys/KeySet.ts"
import { isSameIssuer } from "../../remote/issuerUrl.ts"
import { own } from "../../remote/JsonObject.ts"
import { type AudienceRules, checkAudience } from "../claims/audience.ts"
import { checkClient } from "../claims/client.ts"
import { identityFromClaims, type IdentityRules } from "../claims/identity.ts"
import { checkIsAccessToken, checkIsBearer, checkType, isAccessType } from "../claims/tokenKind.ts"
import { checkValidity, expiresAt, validFrom } from "../claims/validity.ts"
import { type Rejection, rejection, toInvalidToken } from "../Rejection.ts"
import { unavailable } from "../unavailable.ts"
import type { Validity, Verdict } from "../Verdict.ts"
import type { CompactJws } from "./CompactJws.ts"
import type { CheckSignature } from "./signature.ts"

/** The settings of a provider that concern its JWTs. */
export interface JwtRules extends IdentityRules, AudienceRules {
  /** If `issuer` is a template: the tenants whose tokens are accepted. Never empty. */
  readonly tenants?: ReadonlyArray<string> | undefined
  /** Never empty. */
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** Require `typ: at+jwt` (RFC 9068, section 4). */
  readonly requireAccessTokenType: boolean
}

/** The keys of a provider. */
export interface ProviderKeys {
  /** Finds the key that a header names. */
  readonly find: (header: KeyHeader) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /** Returns synchronously what `find` would find; `undefined`: use `find`. */
  readonly peek: (header: KeyHeader) => CryptoKey | undefined
  /**
   * The published key set in the form that instances share, if a header names this key in it. Absent if the keys are
   * configured, because they never change.
   */
  readonly shared?: ((header: KeyHeader, key: CryptoKey) => SharedKeys | undefined) | undefined
}

/** Verifies a token that has the form of a JWT. Returns an `Exit` if the verification need not wait. */
export type VerifyJwt = (jws: CompactJws) => Effect.Effect<Verdict, VerificationError>

/** A longer token is verified for each request: its claims would take the space of many others in the cache. */
const maxRememberedLength = 4_096

/** Checks made before the signature. Their results give a forger no information about claims. */
const checkHeader = (
  { algorithms, issuer, requireAccessTokenType }: JwtRules,
  issuers: ReadonlyArray<string>,
  jws: CompactJws
) => {
  if (!algorithms.includes(jws.header.alg)) {
    return rejection("UnsupportedAlgorithm", `alg is ${jws.header.alg}; MCP_JWT_ALGORITHM is ${algorithms.join(", ")}`)
  }
  const iss = own(jws.claims, "iss")
  if (typeof iss !== "string" || !issuers.some((one) => isSameIssuer(one, iss))) {
    return rejection("InvalidIssuer", `iss is ${show(iss)}; the provider's issuer is ${show(issuer)}`)
  }
  return checkType(jws.header.typ, requireAccessTokenType)
}

/** If a token names its tenant twice, both must be the same (Entra's `tid` in addition to the issuer). */
const checkTenant = ({ issuer, tenants }: JwtRules, { claims }: CompactJws): Rejection | undefined => {
  const tid = own(claims, "tid")
  if (tenants === undefined || tid === undefined) return undefined
  const iss = own(claims, "iss")
  return typeof tid === "string" && typeof iss === "string" && isSameIssuer(fillTemplate(issuer, tid), iss)
    ? undefined
    : rejection("InvalidIssuer", `tid is ${show(tid)}, another tenant than that of iss`)
}

/** The kind comes first: a token of another kind also fails other checks, which would hide the actual mistake. */
const checkClaims = (
  provider: JwtRules,
  jws: CompactJws,
  now: number,
  skew: number
): Rejection | undefined => {
  const { claims, header } = jws
  return checkTenant(provider, jws) ?? checkIsAccessToken(claims, isAccessType(header.typ)) ?? checkIsBearer(claims) ??
    checkValidity(claims, { now: now / 1000, skew, requireExpiry: true }) ??
    checkAudience(claims, provider) ?? checkClient(claims, provider.allowedClients, provider)
}

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
): VerifyJwt => {
  const { name, tenants } = provider
  const issuers = issuersOf(provider)
  const reject = (reason: Rejection) => toInvalidToken(name, reason)

  /** One key set may contain keys of several issuers, and several issuers may have their own sets. */
  const keyHeader = ({ claims, header }: CompactJws): KeyHeader => {
    const iss = tenants === undefined ? undefined : own(claims, "iss")
    return typeof iss === "string" ? { ...header, issuer: iss } : header
  }

  // Everything about the token that time or the provider can change.
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

  return Effect.fnUntracedEager(function*(jws) {
    const unfit = checkHeader(provider, issuers, jws)
    if (unfit !== undefined) return yield* Exit.fail(reject(unfit))
    const header = keyHeader(jws)
    const key = keys.peek(header) ?? (yield* findKey(header))
    const signature = yield* Effect.mapErrorEager(
      checkSignature(jws, key),
      (failure) => unavailable(name, failure.detail, failure)
    )
    const rejected = signature ?? checkClaims(provider, jws, clock.currentTimeMillisUnsafe(), skew)
    if (rejected !== undefined) return yield* Exit.fail(reject(rejected))
    const identity = identityFromClaims(jws.claims, provider)
    return Result.isSuccess(identity)
      ? {
        identity: identity.success,
        validity: jws.token.length > maxRememberedLength ? undefined : validity(jws, header, key)
      }
      : yield* Exit.fail(reject(identity.failure))
  })
}

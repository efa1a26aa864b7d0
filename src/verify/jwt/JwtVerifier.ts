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

/** What a provider's settings say of its JWTs. */
export interface JwtRules extends IdentityRules, AudienceRules {
  /** If `issuer` is a template: the tenants whose tokens are let in. Never empty. */
  readonly tenants?: ReadonlyArray<string> | undefined
  /** Never empty. */
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** Demand `typ: at+jwt` (RFC 9068, section 4). */
  readonly requireAccessTokenType: boolean
}

/** The keys of a provider. */
export interface ProviderKeys {
  /** Finds the key that a header names. */
  readonly find: (header: KeyHeader) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>
  /** What `find` would find, at once; `undefined`: only `find` can say. */
  readonly peek: (header: KeyHeader) => CryptoKey | undefined
  /**
   * The published set as instances share it, if a header names this key in it. Absent where the keys are configured, and
   * never change.
   */
  readonly shared?: ((header: KeyHeader, key: CryptoKey) => SharedKeys | undefined) | undefined
}

/** Judges a token that has the form of a JWT; an `Exit` where nothing has to be waited for. */
export type VerifyJwt = (jws: CompactJws) => Effect.Effect<Verdict, VerificationError>

/** A longer token is verified each time: its claims would take the room of many others. */
const maxRememberedLength = 4_096

/** What is judged before the signature: nothing that would tell a forger about claims. */
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

/** A token that names its tenant twice must name the same one (Entra's `tid` beside the issuer). */
const checkTenant = ({ issuer, tenants }: JwtRules, { claims }: CompactJws): Rejection | undefined => {
  const tid = own(claims, "tid")
  if (tenants === undefined || tid === undefined) return undefined
  const iss = own(claims, "iss")
  return typeof tid === "string" && typeof iss === "string" && isSameIssuer(fillTemplate(issuer, tid), iss)
    ? undefined
    : rejection("InvalidIssuer", `tid is ${show(tid)}, another tenant than that of iss`)
}

/** The kind comes first: a token of another kind is for another audience, too, or has no end, and that is not the mistake. */
const checkClaims = (
  provider: JwtRules,
  jws: CompactJws,
  now: number,
  skew: number
): Rejection | undefined => {
  const { claims, header } = jws
  return checkTenant(provider, jws) ?? checkIsAccessToken(claims, isAccessType(header.typ)) ?? checkIsBearer(claims) ??
    checkValidity(claims, { now: now / 1000, skew, requireExpiry: true }) ??
    checkAudience(claims, provider) ?? checkClient(claims, provider.allowedClients)
}

/**
 * Makes the verifier of one JWT provider (RFC 7519, section 7.2; RFC 8725; RFC 9068, section 4).
 *
 * Judged in this order: algorithm, issuer, type, key, signature, kind of token, times, audience, client, subject, scopes. Fails
 * with `InvalidToken`, or `ProviderUnavailable` if the keys cannot be had.
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
  const refuse = (reason: Rejection) => toInvalidToken(name, reason)

  /** One set may have keys of several issuers, and several issuers sets of their own. */
  const keyHeader = ({ claims, header }: CompactJws): KeyHeader => {
    const iss = tenants === undefined ? undefined : own(claims, "iss")
    return typeof iss === "string" ? { ...header, issuer: iss } : header
  }

  // All that time and the provider can change; the rest of the token is what it was.
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
          ? refuse(rejection(failure._tag, failure.detail))
          : unavailable(name, failure.detail, failure)
    )

  return Effect.fnUntracedEager(function*(jws) {
    const unfit = checkHeader(provider, issuers, jws)
    if (unfit !== undefined) return yield* Exit.fail(refuse(unfit))
    const header = keyHeader(jws)
    const key = keys.peek(header) ?? (yield* findKey(header))
    const signature = yield* Effect.mapErrorEager(
      checkSignature(jws, key),
      (failure) => unavailable(name, failure.detail, failure)
    )
    const refused = signature ?? checkClaims(provider, jws, clock.currentTimeMillisUnsafe(), skew)
    if (refused !== undefined) return yield* Exit.fail(refuse(refused))
    const identity = identityFromClaims(jws.claims, provider)
    return Result.isSuccess(identity)
      ? {
        identity: identity.success,
        validity: jws.token.length > maxRememberedLength ? undefined : validity(jws, header, key)
      }
      : yield* Exit.fail(refuse(identity.failure))
  })
}

import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JwtProvider } from "../../config/GatewaySettings.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import { isSameIssuer } from "../../keys/issuerUrl.ts"
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import type { KeysUnavailable, UnknownKey } from "../../keys/JwksCache.ts"
import { checkIsBearer, checkIsNotIdToken } from "../claims/accessToken.ts"
import { checkAudience } from "../claims/audience.ts"
import { identityFromClaims } from "../claims/identity.ts"
import { checkValidity } from "../claims/validity.ts"
import { type Refusal, refusal, toInvalidToken } from "../Refusal.ts"
import { unavailable } from "../unavailable.ts"
import type { Verdict } from "../Verdict.ts"
import type { CompactJws } from "./CompactJws.ts"
import { checkType, type JoseHeader } from "./JoseHeader.ts"
import { verifySignature } from "./signature.ts"

/** Finds the key that a header names among those of the provider. */
export type FindKey = (header: JoseHeader) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>

/** Judges a token that has the form of a JWT. */
export type VerifyJwt = (jws: CompactJws) => Effect.Effect<Verdict, VerificationError>

const nowSeconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1000)

/** What is judged before the signature: nothing that would tell a forger about claims. */
const checkHeader = ({ algorithms, issuer, requireAccessTokenType }: JwtProvider, jws: CompactJws) => {
  if (!algorithms.includes(jws.header.alg)) return refusal("UnsupportedAlgorithm", "alg is not allowed")
  const iss = own(jws.claims, "iss")
  if (typeof iss !== "string" || !isSameIssuer(issuer, iss)) return refusal("InvalidIssuer", "iss is another issuer")
  return checkType(jws.header, requireAccessTokenType)
}

const checkClaims = (
  { audience }: JwtProvider,
  { claims }: CompactJws,
  now: number,
  skew: number
): Refusal | undefined =>
  checkValidity(claims, { now, skew, requireExpiry: true }) ?? checkAudience(claims, audience) ??
    checkIsNotIdToken(claims) ?? checkIsBearer(claims)

/**
 * Makes the verifier of one JWT provider (RFC 7519, section 7.2; RFC 8725; RFC 9068, section 4).
 *
 * Judged in this order: algorithm, issuer, type, key, signature, times, audience, kind of token, subject, scopes. Fails
 * with `InvalidToken`, or `ProviderUnavailable` if the keys cannot be had.
 *
 * @param skew tolerance for times, in seconds
 */
export const makeJwtVerifier = (provider: JwtProvider, skew: number, findKey: FindKey): VerifyJwt => {
  const { issuer, name } = provider
  const refuse = (reason: Refusal) => toInvalidToken(name, reason)

  // All that time and the provider can change; the rest of the token is what it was. Without keys it cannot be said.
  const stillHolds = (header: JoseHeader, claims: JsonObject, key: CryptoKey): Effect.Effect<boolean> =>
    Effect.map(
      Effect.all([Effect.option(findKey(header)), nowSeconds]),
      // By reference: to Effect's structural equality any two CryptoKeys of one algorithm are equal.
      ([found, now]) =>
        Option.getOrUndefined(found) === key && checkValidity(claims, { now, skew, requireExpiry: true }) === undefined
    )

  return Effect.fnUntraced(
    function*(jws) {
      const header = checkHeader(provider, jws)
      if (header !== undefined) return yield* refuse(header)
      const key = yield* findKey(jws.header)
      yield* verifySignature(jws, key)
      const claims = checkClaims(provider, jws, yield* nowSeconds, skew)
      if (claims !== undefined) return yield* refuse(claims)
      const identity = yield* Effect.mapError(
        Effect.fromResult(identityFromClaims(jws.claims, name, issuer)),
        refuse
      )
      return { identity, holds: stillHolds(jws.header, jws.claims, key) }
    },
    Effect.catchTags({
      UnknownKey: ({ detail }) => Effect.fail(refuse(refusal("UnknownKey", detail))),
      KeysUnavailable: ({ detail }) => Effect.fail(unavailable(name, detail)),
      SignatureRefused: (refused) => Effect.fail(refuse(refused)),
      SignatureNotJudged: ({ detail }) => Effect.fail(unavailable(name, detail))
    })
  )
}

import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JwtProvider } from "../../config/GatewaySettings.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { isSameIssuer } from "../../keys/issuerUrl.ts"
import { own } from "../../keys/JsonObject.ts"
import type { KeysUnavailable, UnknownKey } from "../../keys/JwksCache.ts"
import { checkIsBearer, checkIsNotIdToken } from "../claims/accessToken.ts"
import { checkAudience } from "../claims/audience.ts"
import { identityFromClaims } from "../claims/identity.ts"
import { checkValidity } from "../claims/validity.ts"
import { type Refusal, refusal, toInvalidToken } from "../Refusal.ts"
import { unavailable } from "../unavailable.ts"
import type { CompactJws } from "./CompactJws.ts"
import { checkType, type JoseHeader } from "./JoseHeader.ts"
import { verifySignature } from "./signature.ts"

/** Finds the key that a header names among those of the provider. */
export type FindKey = (header: JoseHeader) => Effect.Effect<CryptoKey, UnknownKey | KeysUnavailable>

/** Judges a token that has the form of a JWT. */
export type VerifyJwt = (jws: CompactJws) => Effect.Effect<Identity, VerificationError>

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

  return Effect.fnUntraced(
    function*(jws) {
      const header = checkHeader(provider, jws)
      if (header !== undefined) return yield* refuse(header)
      const key = yield* findKey(jws.header)
      yield* verifySignature(jws, key)
      const now = (yield* Clock.currentTimeMillis) / 1000
      const claims = checkClaims(provider, jws, now, skew)
      if (claims !== undefined) return yield* refuse(claims)
      return yield* Effect.mapError(Effect.fromResult(identityFromClaims(jws.claims, name, issuer)), refuse)
    },
    Effect.catchTags({
      UnknownKey: ({ detail }) => Effect.fail(refuse(refusal("UnknownKey", detail))),
      KeysUnavailable: ({ detail }) => Effect.fail(unavailable(name, detail)),
      SignatureRefused: (refused) => Effect.fail(refuse(refused)),
      SignatureNotJudged: ({ detail }) => Effect.fail(unavailable(name, detail))
    })
  )
}

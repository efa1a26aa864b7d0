import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Admission } from "../authorize/Admission.ts"
import { isAllowedOrigin, shownOrigin } from "../authorize/origin.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { bearerToken, type CredentialError, findBearer } from "../credential/parseAuthorization.ts"
import { AccessDenied, type InsufficientScope, type VerificationError } from "../errors/GatewayError.ts"
import { Asker } from "../fairness/Asker.ts"
import type { Identity } from "../identity/Identity.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { askerOf } from "./asker.ts"
import type { Exchange } from "./Exchange.ts"

/** Says whether a present `Origin` is one that may call; native clients send none. */
const mayCall = ({ allowedOrigins }: GatewaySettings, { origin, wire }: Exchange): boolean => {
  if (origin === undefined || allowedOrigins._tag === "Any") return true
  const [value, second] = wire.values("origin")
  return value !== undefined && second === undefined && isAllowedOrigin(allowedOrigins, value)
}

/**
 * The credential of a request: what stands for its one bearer token, to be made one by `bearerToken`, or an admission
 * where the operator switched authentication off.
 *
 * Fails with `AccessDenied` where the origin may not call, and with a `CredentialError`.
 */
export const credentialOf = (
  settings: GatewaySettings,
  exchange: Exchange,
  query: string
): Result.Result<string | Admission, AccessDenied | CredentialError> => {
  if (!mayCall(settings, exchange)) {
    return Result.fail(
      new AccessDenied({
        reason: "Origin",
        detail: `the Origin ${shownOrigin(exchange.origin)} is not in MCP_ALLOWED_ORIGINS`
      })
    )
  }
  if (!settings.authEnabled) return Result.succeed(Admission.authenticationDisabled())
  return findBearer({ authorization: exchange.wire.values("authorization"), query }, settings.maxTokenBytes)
}

/** Admits the caller that the token was verified to stand for, if its scopes suffice. */
export const admitted = (
  settings: GatewaySettings,
  exchange: Exchange,
  identity: Identity
): Result.Result<Admission, InsufficientScope> => {
  exchange.identity = identity
  return Result.map(requireScopes(settings, identity), () => Admission.authenticated(identity))
}

/** Why a request is not let in. */
export type AdmissionError = CredentialError | VerificationError

/**
 * Builds the judgement over a request: look at its origin, find its credential, verify it, check its scopes.
 */
export const makeAdmit = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const verifier = yield* TokenVerifier

  return Effect.fnUntraced(function*(
    exchange: Exchange,
    query: string
  ): Effect.fn.Return<Admission, AdmissionError> {
    const credential = yield* Effect.fromResult(credentialOf(settings, exchange, query))
    if (credential instanceof Admission) return credential
    const token = yield* Effect.fromResult(bearerToken(credential))
    const asker = askerOf(settings.trustedProxies, exchange.request, exchange.trustedPeer)
    const identity = yield* Effect.provideService(verifier.verify(token), Asker, asker)
    return yield* Effect.fromResult(admitted(settings, exchange, identity))
  })
})

import * as Effect from "effect/Effect"
import { Admission } from "../authorize/Admission.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type CredentialError, parseAuthorization } from "../credential/parseAuthorization.ts"
import type { InsufficientScope, VerificationError } from "../errors/GatewayError.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Exchange } from "./Exchange.ts"

/** Why a request is not let in. */
export type AdmissionError = CredentialError | VerificationError | InsufficientScope

/**
 * Builds the judgement over a request: find its credential, verify it, check its scopes.
 *
 * The only maker of an `Admission`, without which nothing is forwarded.
 */
export const makeAdmit = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const verifier = yield* TokenVerifier

  return Effect.fnUntraced(function*(
    exchange: Exchange,
    query: string
  ): Effect.fn.Return<Admission, AdmissionError> {
    if (!settings.authEnabled) return Admission.authenticationDisabled()
    const token = yield* Effect.fromResult(
      parseAuthorization({ authorization: exchange.wire.values("authorization"), query }, settings.maxTokenBytes)
    )
    const identity = yield* verifier.verify(token)
    exchange.identity = identity
    yield* Effect.fromResult(requireScopes(settings, identity))
    return Admission.authenticated(identity)
  })
})

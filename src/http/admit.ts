import * as Effect from "effect/Effect"
import { Admission } from "../authorize/Admission.ts"
import { isAllowedOrigin } from "../authorize/origin.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type CredentialError, parseAuthorization } from "../credential/parseAuthorization.ts"
import { AccessDenied, type InsufficientScope, type VerificationError } from "../errors/GatewayError.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Exchange } from "./Exchange.ts"

/** A present `Origin` must be one that may call; native clients send none. */
const checkOrigin = (
  { allowedOrigins }: GatewaySettings,
  exchange: Exchange
): Effect.Effect<void, AccessDenied> => {
  const values = exchange.wire.values("origin")
  if (values.length === 0 || allowedOrigins._tag === "Any") return Effect.void
  const [origin, second] = values
  return origin !== undefined && second === undefined && isAllowedOrigin(allowedOrigins, origin)
    ? Effect.void
    : Effect.fail(new AccessDenied({ reason: "Origin", detail: "the Origin is not in MCP_ALLOWED_ORIGINS" }))
}

/** Why a request is not let in. */
export type AdmissionError = CredentialError | VerificationError | AccessDenied | InsufficientScope

/**
 * Builds the judgement over a request: look at its origin, find its credential, verify it, check its scopes.
 *
 * The only maker of an `Admission`, without which nothing is forwarded.
 */
export const makeAdmit = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const verifier = yield* TokenVerifier

  return Effect.fnUntraced(function*(
    exchange: Exchange,
    query: string
  ): Effect.fn.Return<Admission, AdmissionError> {
    yield* checkOrigin(settings, exchange)
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

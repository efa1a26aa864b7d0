/** Who may call: the origin, the credential, and what a verified caller may do. Pure. */
import * as Result from "effect/Result"
import { Admission } from "../authorize/Admission.ts"
import { isAllowedOrigin, shownOrigin } from "../authorize/origin.ts"
import { requireListed } from "../authorize/requireListed.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type CredentialError, findBearer } from "../credential/parseAuthorization.ts"
import { AccessDenied, type InsufficientScope } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Exchange } from "./Exchange.ts"

/** Returns whether the request's `Origin` is allowed. Native clients send none, which is allowed. */
const mayCall = ({ allowedOrigins }: GatewaySettings, { origin, raw }: Exchange): boolean => {
  if (origin === undefined || allowedOrigins._tag === "Any") return true
  const [value, second] = raw.values("origin")
  return value !== undefined && second === undefined && isAllowedOrigin(allowedOrigins, value)
}

const scheme = /^bearer /i

/**
 * The field values with the token, in the form of `Authorization`. A proxy's own token field holds the token without a
 * scheme.
 */
const tokenFields = ({ tokenHeader }: GatewaySettings, { raw }: Exchange): ReadonlyArray<string> => {
  const values = raw.values(tokenHeader)
  return tokenHeader === "authorization"
    ? values
    : values.map((value) => scheme.test(value.trimStart()) ? value : `Bearer ${value.trim()}`)
}

/**
 * Returns the text of the request's one bearer token, which `bearerToken` parses, or an admission if the operator has
 * switched authentication off.
 *
 * Fails with `AccessDenied` if the origin is not allowed, and with a `CredentialError` if there is not exactly one
 * bearer token.
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
  return findBearer({ authorization: tokenFields(settings, exchange), query }, settings.maxTokenBytes)
}

/** Returns the token of a request that was admitted because of its token. */
export const tokenOf = (settings: GatewaySettings, exchange: Exchange): string =>
  (tokenFields(settings, exchange)[0] ?? "").trim().replace(/^bearer +/i, "")

/** Admits the caller of a verified token, if the caller is on the operator's lists and has the required scopes. */
export const authorize = (
  settings: GatewaySettings,
  exchange: Exchange,
  identity: Identity
): Result.Result<Admission, AccessDenied | InsufficientScope> => {
  exchange.identity = identity
  const listed = requireListed(settings, identity)
  // Lists are checked first: more scopes would not help a caller that is not on them.
  if (Result.isFailure(listed)) return Result.fail(listed.failure)
  return Result.map(requireScopes(settings, identity), () => Admission.authenticated(identity))
}

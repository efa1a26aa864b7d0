/** The errors for token exchanges that the provider rejects. Pure. */
import { AccessDenied, InteractionRequired, InvalidToken, type ProviderUnavailable } from "../errors/GatewayError.ts"
import { isOwnError } from "../providers/clientAuthentication.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"
import { isOutageError } from "../verify/opaque/providerRejection.ts"
import { unavailableAfter } from "../verify/unavailable.ts"

export type ExchangeError = AccessDenied | InteractionRequired | InvalidToken | ProviderUnavailable

const ownClient =
  "the provider rejects the gateway's own client: check client_id of MCP_UPSTREAM_AUTH, its secret or key"

const notPermitted =
  "the provider does not exchange the token: permit it there for the client of MCP_UPSTREAM_AUTH, for the tokens that callers " +
  "bring, and check audience, resource and scope of MCP_UPSTREAM_AUTH"

/**
 * Maps a failed request to an error. Either the user has to act, or the caller has to get another token or is denied;
 * or the provider or the gateway's own client is at fault, which no caller can fix.
 *
 * @param required the scopes that every request of the caller needs
 */
export const exchangeError = (
  provider: string,
  failure: ProviderRequestFailed,
  required: ReadonlyArray<string>
): ExchangeError => {
  const { kind, rejection, status = 0, summary } = failure
  const error = rejection?.error
  if (kind !== "Status" || status < 400 || status >= 500 || status === 408 || status === 429 || isOutageError(error)) {
    return unavailableAfter(provider, failure)
  }
  if (isOwnError(error)) return unavailableAfter(provider, failure, ownClient)
  if (rejection?.needsUser === true) {
    return new InteractionRequired({
      required,
      claims: rejection.claims,
      detail: `${summary}: the user has to act there`
    })
  }
  if (
    error === "invalid_grant" || error === "invalid_token" ||
    (error === "invalid_request" && rejection?.isAboutSubject === true)
  ) {
    return new InvalidToken({
      reason: "Inactive",
      provider,
      detail: `${summary}: the provider does not accept the token any more`
    })
  }
  if (error === "access_denied") {
    return new AccessDenied({ reason: "Policy", detail: `${summary}: the provider denies the exchange` })
  }
  return unavailableAfter(provider, failure, notPermitted)
}

import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { Identity } from "../identity/Identity.ts"
import { makeClaimHeaders } from "./claimHeaders.ts"
import { identityHeaders } from "./identityHeaders.ts"

/**
 * Builds the function that returns all fields that name the caller to the MCP server: those of the identity, unless
 * `MCP_IDENTITY_HEADERS` is off, and those with claims (`MCP_FORWARD_CLAIMS`).
 */
export const makeCallerFields = (
  { forwardClaims, identityHeaders: withIdentity }: Pick<GatewaySettings, "forwardClaims" | "identityHeaders">
): (identity: Identity) => Readonly<Record<string, string>> => {
  const claimHeaders = makeClaimHeaders(forwardClaims)
  if (forwardClaims.length === 0) return (identity) => withIdentity ? identityHeaders(identity) : {}
  return (identity) => ({ ...(withIdentity ? identityHeaders(identity) : {}), ...claimHeaders(identity) })
}

import { type Scoped, standingScopes } from "../authorize/requireScopes.ts"
import { type UpstreamScopeRequired, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { isRedirect, redirectTarget } from "./redirect.ts"
import { classifyChallenge } from "./serverChallenge.ts"

/**
 * Rejects responses that are not valid, and responses that would lead the client away from this gateway.
 *
 * @param identity the caller; `undefined` if the operator has switched authentication off
 */
export const rejectResponse = (
  { headers, status }: Pick<UpstreamResponse, "headers" | "status">,
  settings: Scoped,
  identity: Identity | undefined
): UpstreamScopeRequired | UpstreamUnavailable | undefined => {
  if (status > 599) return new UpstreamUnavailable({ detail: `the MCP server responds with the status ${status}` })
  if (isRedirect(status)) {
    const target = redirectTarget({ headers, status })
    return new UpstreamUnavailable({
      detail: `the MCP server redirects (${status}) to ${target}; set MCP_SERVER_URL to the URL at which it responds`
    })
  }
  const standing = identity === undefined ? undefined : () => standingScopes(settings, identity)
  return classifyChallenge({ headers, status }, standing)
}

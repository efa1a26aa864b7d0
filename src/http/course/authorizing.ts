/** The step of the course that adds the fields by which the MCP server can trust a request. Pure. */
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { UpstreamAuthorizer } from "../../upstream/UpstreamAuthorizer.ts"
import { fixedFields, type UpstreamCaller, type UpstreamFields } from "../../upstream/UpstreamFields.ts"
import { tokenOf } from "../authorize.ts"
import type { Exchange } from "../Exchange.ts"
import { requesterOf } from "../requester.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

/** Continues the course with the fields for the MCP server. */
export type Authorizing = <A>(
  exchange: Exchange,
  identity: Identity | undefined,
  authorized: (fields: UpstreamFields) => Next<A>
) => Next<A>

/**
 * Builds the step. If the fields are fixed, or cached for the caller, the course skips it.
 *
 * @param peek `UpstreamAuthorizer.peek`; `undefined` if fields are not cached
 */
export const makeAuthorizing = (
  settings: GatewaySettings,
  { reject }: OwnResponses,
  peek: UpstreamAuthorizer["peek"] | undefined
): Authorizing => {
  const fixed = fixedFields(settings.upstreamAuth)
  if (fixed !== undefined) return (_exchange, _identity, authorized) => authorized(fixed)
  return (exchange, identity, authorized) => {
    const caller: UpstreamCaller = { identity, token: () => tokenOf(settings, exchange) }
    const cached = peek?.(caller)
    if (cached !== undefined) return authorized(cached)
    return {
      _tag: "AuthorizeUpstream",
      caller,
      requester: () => requesterOf(settings.trustedProxies, exchange.request, exchange.trustedPeer),
      authorized,
      rejected: (error) => reject(exchange, error)
    }
  }
}

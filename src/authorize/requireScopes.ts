/** Whether a verified caller has the scopes that the resource needs. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InsufficientScope } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { ScopeHierarchy } from "../rules/ScopeHierarchy.ts"

/** How many of a token's scopes a log entry lists. */
const maxListed = 40

/** The scopes that a token has, for the log. */
export const scopesOf = ({ scopes }: Identity): string =>
  `the token has ${scopes.length} scopes: ${scopes.slice(0, maxListed).join(" ")}`

export type Scoped =
  & Pick<GatewaySettings, "providers" | "requiredScopes">
  // Left out if no scope includes another one.
  & Partial<Pick<GatewaySettings, "scopeImplies">>

/** The scopes that every request of this caller needs: the gateway's, and those of the token's provider. */
export const standingScopes = (
  { providers, requiredScopes }: Scoped,
  identity: Identity
): ReadonlyArray<string> => {
  const own = providers.find(({ name }) => name === identity.provider)?.requiredScopes ?? []
  return own.length === 0 ? requiredScopes : [...requiredScopes, ...own]
}

/**
 * Requires the gateway's scopes and those of the identity's provider. The token must have each scope itself, or one
 * that includes it (`MCP_SCOPE_IMPLIES`).
 *
 * Fails with `InsufficientScope`, which lists all scopes that the request needs (RFC 6750, section 3.1), not only the missing ones.
 *
 * @param also further scopes that this request needs
 */
export const requireScopes = (
  settings: Scoped,
  identity: Identity,
  also: ReadonlyArray<string> = []
): Result.Result<void, InsufficientScope> => {
  const { scopeImplies = ScopeHierarchy.none } = settings
  const standing = standingScopes(settings, identity)
  const has = (scope: string): boolean => scopeImplies.has(identity.scopes, scope)
  // Nearly every caller has all scopes, so the list is built only if one is missing.
  if (standing.every(has) && also.every(has)) return Result.void
  return Result.fail(
    new InsufficientScope({ required: [...new Set([...standing, ...also])], detail: scopesOf(identity) })
  )
}

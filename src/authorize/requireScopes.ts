/** Whether a verified caller has the scopes that the resource needs. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InsufficientScope } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"

/** No more of a token's scopes are written to the log. */
const maxListed = 40

/** What the settings say of scopes. */
export type Scoped = Pick<GatewaySettings, "providers" | "requiredScopes">

/** The scopes that every request of this caller needs: the gateway's, and those of the provider that vouches for it. */
export const standingScopes = ({ providers, requiredScopes }: Scoped, identity: Identity): ReadonlyArray<string> => {
  const own = providers.find(({ name }) => name === identity.provider)?.requiredScopes ?? []
  return own.length === 0 ? requiredScopes : [...requiredScopes, ...own]
}

/**
 * Demands the gateway's required scopes and those of the identity's provider, each as one whole element.
 *
 * Fails with `InsufficientScope`, which lists all that are needed (RFC 6750, section 3.1), not only the missing ones.
 *
 * @param also what this request needs beyond that
 */
export const requireScopes = (
  settings: Scoped,
  identity: Identity,
  also: ReadonlyArray<string> = []
): Result.Result<void, InsufficientScope> => {
  const standing = standingScopes(settings, identity)
  const has = (scope: string): boolean => identity.scopes.includes(scope)
  // The list is for those who lack one.
  if (standing.every(has) && also.every(has)) return Result.void
  return Result.fail(
    new InsufficientScope({
      required: [...new Set([...standing, ...also])],
      detail: `the token has ${identity.scopes.length} scopes: ${identity.scopes.slice(0, maxListed).join(" ")}`
    })
  )
}

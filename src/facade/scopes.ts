/** The names of a scope for clients and for the provider. Pure. */
import { isScope } from "../config/kinds/kinds.ts"
import { requestedScope } from "../config/kinds/scopesRequested.ts"
import type { FacadeProvider } from "./places.ts"

/** The scopes of an MCP server. */
export interface ScopeNames {
  /**
   * The scopes that clients may request, by the provider's names. All other scopes that the shared client could get at
   * the provider are denied.
   */
  readonly offered: ReadonlyArray<string>
  /** Returns the provider's name for a scope that clients request or tokens have. */
  readonly nameOf: (scope: string) => string
}

const wordsOf = (text: string | undefined): ReadonlyArray<string> =>
  [...new Set((text ?? "").split(" "))].filter((word) => word !== "" && isScope(word))

/** The scopes that clients of the facade may request. */
export const scopeNames = (
  { scopesSupported }: { readonly scopesSupported: ReadonlyArray<string> },
  { facade, requiredScopes, scopesRequested }: FacadeProvider
): ScopeNames => {
  const nameOf = (scope: string) => scopesRequested === undefined ? scope : requestedScope(scopesRequested, scope)
  return { offered: [...new Set([...scopesSupported, ...requiredScopes].map(nameOf).concat(facade.scopes))], nameOf }
}

/**
 * Returns the scopes to request from the provider: the offered ones that the client names, or all offered ones if it
 * names none of them, and always those that the operator adds.
 */
export const scopesForProvider = (
  { nameOf, offered }: ScopeNames,
  added: ReadonlyArray<string>,
  scope: string | undefined
): ReadonlyArray<string> => {
  const wanted = wordsOf(scope).map((word) => offered.includes(word) ? word : nameOf(word))
    .filter((word) => offered.includes(word))
  return [...new Set([...wanted.length === 0 ? offered : wanted, ...added])]
}

import { advertisedScopes } from "../config/advertisedScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { requestedScope } from "../config/kinds/scopesRequested.ts"
import { isAdvertised } from "./advertised.ts"

const firstAdvertised = (settings: Pick<GatewaySettings, "addedTypes" | "providers">) =>
  settings.providers.find((one) => isAdvertised(settings, one))

/**
 * Returns the scopes that a client without a token must request: the gateway's, and those of the first provider that
 * clients can get a token from.
 */
export const scopesOfFirstToken = (
  settings: Pick<GatewaySettings, "addedTypes" | "providers" | "requiredScopes">
): ReadonlyArray<string> => [
  ...new Set([...settings.requiredScopes, ...firstAdvertised(settings)?.requiredScopes ?? []])
]

/**
 * Returns scopes as clients must request them, for metadata and challenges, according to a provider's
 * `scopes_requested`.
 *
 * @param provider the name of the token's provider. Without a token, the first provider that clients can get a token
 * from
 */
export const requestedScopes = (
  settings: Pick<GatewaySettings, "addedTypes" | "providers">,
  scopes: ReadonlyArray<string>,
  provider?: string
): ReadonlyArray<string> => {
  const wanted = advertisedScopes(scopes)
  if (wanted.length === 0) return wanted
  const { scopesRequested } =
    (provider === undefined ? firstAdvertised(settings) : settings.providers.find(({ name }) => name === provider)) ??
      {}
  return scopesRequested === undefined
    ? wanted
    : [...new Set(wanted.map((scope) => requestedScope(scopesRequested, scope)))]
}

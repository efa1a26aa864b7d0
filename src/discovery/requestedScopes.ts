import { advertisedScopes } from "../config/advertisedScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { requestedScope } from "../config/kinds/scopesRequested.ts"
import { isAdvertised } from "./advertised.ts"

/**
 * Returns scopes as clients must request them, for metadata and challenges: as `scopes_requested` of a provider spells them.
 *
 * @param provider the name of the provider whose token the client has. Without a token, it is the first one that clients
 * can get a token from
 */
export const requestedScopes = (
  settings: Pick<GatewaySettings, "addedTypes" | "providers">,
  scopes: ReadonlyArray<string>,
  provider?: string
): ReadonlyArray<string> => {
  const wanted = advertisedScopes(scopes)
  if (wanted.length === 0) return wanted
  const { scopesRequested } =
    settings.providers.find((one) => provider === undefined ? isAdvertised(settings, one) : one.name === provider) ?? {}
  return scopesRequested === undefined
    ? wanted
    : [...new Set(wanted.map((scope) => requestedScope(scopesRequested, scope)))]
}

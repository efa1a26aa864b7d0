import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { typeOf } from "../providers/types.ts"

/** The issuers of a provider that clients can ask for a token, the best first. */
export const advertisedBy = (
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: Provider
): ReadonlyArray<string> => typeOf(settings, provider).advertisedIssuers?.(provider) ?? []

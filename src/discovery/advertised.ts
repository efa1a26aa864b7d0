import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { typeOf } from "../providers/types.ts"

/** The issuers of a provider from which clients can get a token, the preferred one first. */
export const advertisedBy = (
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: Provider
): ReadonlyArray<string> => typeOf(settings, provider).advertisedIssuers?.(provider) ?? []

import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { facadeIssuer, type FacadeSettings } from "../facade/places.ts"
import { typeOf } from "../providers/types.ts"

/** The issuers of a provider from which clients can get a token, the preferred one first. */
export const advertisedBy = (
  settings: FacadeSettings & Pick<GatewaySettings, "addedTypes">,
  provider: Provider
): ReadonlyArray<string> =>
  provider.facade === undefined && provider.standInMetadata !== true
    ? typeOf(settings, provider).advertisedIssuers?.(provider) ?? []
    : [facadeIssuer(settings)]

/** Whether clients can get a token for a provider. */
export const isAdvertised = (settings: Pick<GatewaySettings, "addedTypes">, provider: Provider): boolean =>
  provider.facade !== undefined || (typeOf(settings, provider).advertisedIssuers?.(provider) ?? []).length > 0

import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type IssuerKeys, onlyKeySet } from "../providers/onlyKeySet.ts"
import { typeOf } from "../providers/types.ts"
import type { FacadeProvider } from "./places.ts"

/**
 * Returns the keys that verify the assertions that a provider exchanges: those of `assertion_issuer`, or the provider's
 * own. `undefined` if it does not exchange assertions.
 */
export const assertionKeys = (
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: FacadeProvider
): IssuerKeys | undefined => {
  const { allowHttp, facade: { assertionIssuer: issuer, assertions }, name } = provider
  if (!assertions) return undefined
  const own = onlyKeySet(typeOf(settings, provider), provider)
  return issuer === undefined ? own : {
    issuers: [issuer],
    // The issuer's metadata may name a key set at any host.
    source: { _tag: "Discovery", issuer, provider: name, allowedDomains: [], allowHttp },
    algorithms: own?.algorithms ?? ["RS256"]
  }
}

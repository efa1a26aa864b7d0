import type { GatewaySettings, JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { JwksSource } from "../keys/JwksSource.ts"
import { typeOf } from "../providers/types.ts"
import type { FacadeProvider } from "./places.ts"

/** What verifies the assertions of a provider. */
export interface AssertionKeys {
  readonly issuers: ReadonlyArray<string>
  readonly source: JwksSource
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
}

/**
 * Returns what verifies the assertions of a provider that exchanges them; `undefined` if it does not, or has no key set that could
 * tell whose assertion it is.
 */
export const assertionKeys = (
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: FacadeProvider
): AssertionKeys | undefined => {
  if (!provider.facade.assertions) return undefined
  const type = typeOf(settings, provider)
  const tokens = type.ownTokens(provider)
  const [first, ...more] = (type.onlineChecks?.(provider) ?? []).flatMap((check) =>
    check._tag === "Keys" ? [check] : []
  )
  // With a key set for each tenant, an issuer that is not verified yet would choose the keys.
  return tokens._tag !== "JwtsOf" || first === undefined || more.length > 0
    ? undefined
    : { issuers: tokens.issuers, source: first.source, algorithms: first.algorithms }
}

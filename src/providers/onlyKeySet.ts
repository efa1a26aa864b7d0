import type { JwsAlgorithm, Provider } from "../config/GatewaySettings.ts"
import type { JwksSource } from "../keys/JwksSource.ts"
import type { ProviderType } from "./ProviderType.ts"

/** A key set, and the issuers whose JWTs it verifies. */
export interface IssuerKeys {
  readonly issuers: ReadonlyArray<string>
  readonly source: JwksSource
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
}

/**
 * Returns the one key set that a provider publishes; `undefined` if its tokens are opaque, if its key is in the settings, or if each
 * tenant has a key set of its own: then an issuer that is not verified yet would choose the keys.
 */
export const onlyKeySet = (type: ProviderType, provider: Provider): IssuerKeys | undefined => {
  const tokens = type.ownTokens(provider)
  const [first, ...more] = (type.onlineChecks?.(provider) ?? []).flatMap((check) =>
    check._tag === "Keys" ? [check] : []
  )
  return tokens._tag !== "JwtsOf" || first === undefined || more.length > 0
    ? undefined
    : { issuers: tokens.issuers, source: first.source, algorithms: first.algorithms }
}

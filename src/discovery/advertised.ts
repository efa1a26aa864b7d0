import type { Provider } from "../config/GatewaySettings.ts"
import { issuersOf } from "../config/kinds/issuerTemplate.ts"

const wellKnown = /^(https?:\/\/.+)\/\.well-known\/(?:openid-configuration|oauth-authorization-server)$/

/**
 * The issuers of a provider that clients can ask, the best first; one may be a mere name, which nobody can ask.
 *
 * Where there are several tenants and the operator has named a document for all of them, the address below which it is
 * comes first, because people of every tenant can sign in there.
 */
export const advertisedIssuers = (provider: Exclude<Provider, { readonly type: "static" }>): ReadonlyArray<string> => {
  const issuers = issuersOf(provider).filter((issuer) => URL.canParse(issuer))
  const common = issuers.length > 1 ? wellKnown.exec(provider.discoveryUrl ?? "")?.[1] : undefined
  return common === undefined ? issuers : [common, ...issuers]
}

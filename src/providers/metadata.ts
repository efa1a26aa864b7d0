/** The metadata of authorization servers, as several types of providers have it. Pure. */
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import type { MetadataSource } from "../remote/ProviderMetadata.ts"
import type { AuthorizationServerMetadata } from "./AuthorizationServerMetadata.ts"

const wellKnown = /^(https?:\/\/.+)\/\.well-known\/(?:openid-configuration|oauth-authorization-server)$/

/**
 * The issuers of a provider that clients can ask, the best first. An issuer may be a mere name, which nobody can ask.
 *
 * Where there are several tenants and the operator has named a document for all of them, the address below which it is
 * comes first, because people of every tenant can sign in there.
 */
export const advertisedIssuers = (source: MetadataSource): ReadonlyArray<string> => {
  const issuers = issuersOf(source).filter((issuer) => URL.canParse(issuer))
  const common = issuers.length > 1 ? wellKnown.exec(source.discoveryUrl ?? "")?.[1] : undefined
  return common === undefined ? issuers : [common, ...issuers]
}

/** The provider's own document. Of several tenants without a document for all it is the first one's, whom clients are told first. */
export const fetchMetadata = (
  provider: MetadataSource & { readonly name: string; readonly assumePkce?: boolean | undefined }
): AuthorizationServerMetadata => {
  const issuer = advertisedIssuers(provider)[0] ?? provider.issuer
  return {
    _tag: "Fetch",
    provider: provider.name,
    source: provider.discoveryUrl === undefined ? { ...provider, issuer, tenants: undefined } : provider,
    issuer,
    assumePkce: provider.assumePkce
  }
}

/** The provider's own places, unless one is configured, which may be one that only the gateway can reach. */
export const redirectToMetadata = (provider: MetadataSource & { readonly name: string }): AuthorizationServerMetadata =>
  provider.discoveryUrl === undefined ? { _tag: "Redirect", source: provider } : fetchMetadata(provider)

/** The metadata of authorization servers, for several provider types. Pure. */
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import type { MetadataSource } from "../remote/ProviderMetadata.ts"
import type { AuthorizationServerMetadata } from "./AuthorizationServerMetadata.ts"

const wellKnown = /^(https?:\/\/.+)\/\.well-known\/(?:openid-configuration|oauth-authorization-server)$/

/**
 * Returns the issuers of a provider that clients can get a token from, preferred one first. Issuers that are not URLs are
 * left out.
 *
 * If there are several tenants and the operator has configured one metadata document for all of them, the base URL of
 * that document comes first, because users of every tenant can sign in there.
 */
export const advertisedIssuers = (source: MetadataSource): ReadonlyArray<string> => {
  const issuers = issuersOf(source).filter((issuer) => URL.canParse(issuer))
  const common = issuers.length > 1 ? wellKnown.exec(source.discoveryUrl ?? "")?.[1] : undefined
  return common === undefined ? issuers : [common, ...issuers]
}

/** The provider's own document. For several tenants without a common document: that of the first advertised issuer. */
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

/** Redirects to the issuer's well-known URLs, not to a configured one, which only the gateway may be able to reach. */
export const redirectToMetadata = (provider: MetadataSource & { readonly name: string }): AuthorizationServerMetadata =>
  provider.discoveryUrl === undefined ? { _tag: "Redirect", source: provider } : fetchMetadata(provider)

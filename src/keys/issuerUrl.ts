/** Issuer identifiers: how they are compared, and where their metadata is. Pure. */
import { withoutSlash } from "../config/resourceUrl.ts"

const isUrl = (issuer: string): boolean => /^https?:\/\//.test(issuer)

/**
 * Says whether a token or document names the configured issuer: the same string, or for URLs the same but for one slash
 * at the end (Auth0 writes one, and most configurations do not).
 *
 * Nothing else is equal: neither another case, nor a default port, nor a part of it (RFC 7519, section 4.1.1).
 */
export const isSameIssuer = (configured: string, given: string): boolean =>
  given === configured || (isUrl(configured) && withoutSlash(given) === withoutSlash(configured))

/**
 * Where an issuer's metadata may be, in the order to ask: OpenID Connect Discovery 1.0, section 4 (after the issuer's
 * path), then RFC 8414, section 3.1 (before it).
 */
export const metadataUrls = (issuer: string): readonly [openid: string, oauth: string] => {
  const base = withoutSlash(issuer)
  const path = /^https?:\/\/[^/]*(\/.*)?$/.exec(base)?.[1] ?? ""
  const origin = base.slice(0, base.length - path.length)
  return [`${base}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}

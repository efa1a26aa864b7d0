/** Issuer identifiers: their comparison, and the URLs of their metadata. Pure. */
import { normalTemplate } from "../config/kinds/issuerTemplate.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import type { DocumentName } from "../config/sources/documentName.ts"

const isUrl = (issuer: string): boolean => /^https?:\/\//.test(issuer)

/**
 * Returns whether a token or document names the configured issuer: the same string or, for URLs, the same except for
 * one slash at the end (Auth0 writes one, and most configurations do not).
 *
 * Everything else is different: another case, a default port, a part of the issuer (RFC 7519, section 4.1.1).
 */
export const isSameIssuer = (configured: string, given: string): boolean =>
  given === configured || (isUrl(configured) && withoutSlash(given) === withoutSlash(configured))

/** Returns whether an issuer equals the named one or, if that is a template, one of its tenants. */
export const isIssuerOf = (named: string, issuer: string): boolean => {
  const [before, after, more] = normalTemplate(withoutSlash(named)).split("{tenantid}")
  if (before === undefined || after === undefined || more !== undefined) return isSameIssuer(named, issuer)
  const given = withoutSlash(issuer)
  const tenant = given.slice(before.length, given.length - after.length)
  return given.startsWith(before) && given.endsWith(after) && given.length > before.length + after.length &&
    !tenant.includes("/")
}

/**
 * Returns the URLs with the well-known name after the issuer's path (OpenID Connect Discovery 1.0, section 4) and
 * before it (RFC 8414, section 3.1).
 */
const placesOf = (issuer: string, name: DocumentName) => {
  const base = withoutSlash(issuer)
  const path = /^https?:\/\/[^/]*(\/.*)?$/.exec(base)?.[1] ?? ""
  const origin = base.slice(0, base.length - path.length)
  return { appended: `${base}/.well-known/${name}`, inserted: `${origin}/.well-known/${name}${path}` }
}

export const metadataUrl = (issuer: string, name: DocumentName): string => {
  const { appended, inserted } = placesOf(issuer, name)
  return name === "openid-configuration" ? appended : inserted
}

/**
 * Returns the URLs at which an issuer's metadata may be, in the order to try, each once: first those of the two
 * specifications, then each document at the URL of the other specification, as some providers do (RFC 8414, section 5).
 *
 * @param first the preferred document
 */
export const metadataUrls = (issuer: string, first: DocumentName = "openid-configuration"): ReadonlyArray<string> => {
  const openId = placesOf(issuer, "openid-configuration")
  const oauth = placesOf(issuer, "oauth-authorization-server")
  const usual = first === "openid-configuration" ? [openId.appended, oauth.inserted] : [oauth.inserted, openId.appended]
  return [...new Set([...usual, openId.inserted, oauth.appended])]
}

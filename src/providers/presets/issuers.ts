/** Returns the issuer for a provider's domain: a bare domain gets `https://`. */
export const withScheme = (issuer: string): string => issuer.includes("://") ? issuer : `https://${issuer}`

/** Like `withScheme`, with a slash at the end, for providers whose issuers have one. */
export const withSlash = (issuer: string): string => withScheme(issuer).replace(/\/?$/, "/")

/** Like `withScheme`, without a slash at the end, so that a path can be appended. */
export const baseOf = (issuer: string): string => withScheme(issuer).replace(/\/$/, "")

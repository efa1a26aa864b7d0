/** Returns the issuer for a provider's domain: a bare domain gets `https://`. */
export const withScheme = (issuer: string): string => issuer.includes("://") ? issuer : `https://${issuer}`

/** The same, with a slash at the end, for providers whose issuers have one. */
export const withSlash = (issuer: string): string => withScheme(issuer).replace(/\/?$/, "/")

/** The same without a slash, to append a path. */
export const baseOf = (issuer: string): string => withScheme(issuer).replace(/\/$/, "")

/**
 * Issuers of many tenants: one text with a place for the tenant, as in `https://login.microsoftonline.com/{tenantid}/v2.0`.
 *
 * Pure. Only a list of tenants turns a template into issuers, never a token or a document.
 */

const place = /\{tenant(?:_?id)?\}/gi

/** Returns whether an issuer has a placeholder for the tenant. */
export const isTemplate = (issuer: string): boolean => issuer.search(place) !== -1

export const fillTemplate = (template: string, tenant: string): string => template.replace(place, () => tenant)

/** A template in the one spelling of its place. */
export const normalTemplate = (template: string): string => fillTemplate(template, "{tenantid}")

/** The issuers of a provider: one, or one for each tenant. */
export const issuersOf = (
  { issuer, tenants }: { readonly issuer: string; readonly tenants?: ReadonlyArray<string> | undefined }
): ReadonlyArray<string> => tenants === undefined ? [issuer] : tenants.map((tenant) => fillTemplate(issuer, tenant))

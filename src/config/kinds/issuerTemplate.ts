/**
 * Issuers with many tenants: one text with a placeholder for the tenant, as in
 * `https://login.microsoftonline.com/{tenantid}/v2.0`.
 *
 * Pure. Only the configured tenants are filled in, never a value from a token or a document.
 */

const place = /\{tenant(?:_?id)?\}/gi

/** Returns whether an issuer has a placeholder for the tenant. */
export const isTemplate = (issuer: string): boolean => issuer.search(place) !== -1

export const fillTemplate = (template: string, tenant: string): string => template.replace(place, () => tenant)

/** Normalizes the spelling of the placeholder in a template. */
export const normalTemplate = (template: string): string => fillTemplate(template, "{tenantid}")

/** The issuers of a provider: one, or one for each tenant. */
export const issuersOf = (
  { issuer, tenants }: { readonly issuer: string; readonly tenants?: ReadonlyArray<string> | undefined }
): ReadonlyArray<string> => tenants === undefined ? [issuer] : tenants.map((tenant) => fillTemplate(issuer, tenant))

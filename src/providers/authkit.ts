import * as Result from "effect/Result"
import { authkitDomains, matchesDomain } from "../config/kinds/domains.ts"
import { isLoopbackHost } from "../config/kinds/loopback.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import { issuerUrl } from "../config/kinds/urls.ts"
import type { GivenFields } from "../config/providers/FieldReader.ts"
import { type GivenHost, readIssuer } from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { codeFlowMembers, jwtFields, type JwtProvider, jwtType, resolveJwt } from "./jwt.ts"
import { advertisedIssuers } from "./metadata.ts"
import type { ProviderType } from "./ProviderType.ts"

const isAuthKitIssuer = (issuer: string): boolean => {
  const url = issuerUrl(issuer)
  return Result.isSuccess(url) && matchesDomain(authkitDomains, new URL(url.success).hostname)
}

const authKitSpelling = /^(?:SPIN_VARIABLE_)?AUTHKIT_/i

const isMeantBy = (given: GivenFields): boolean => {
  const issuer = given.get("issuer")?.value
  return [...given.values()].some(({ spellings }) => spellings.some((spelling) => authKitSpelling.test(spelling))) ||
    (typeof issuer === "string" && isAuthKitIssuer(issuer.trim()))
}

/**
 * The hosts that keys may be fetched from: AuthKit's own; the issuer's host, because AuthKit can be served from a
 * customer's domain; and loopback hosts in other URLs, where tests run their issuer.
 */
const defaultDomains = (hosts: ReadonlyArray<GivenHost>): ReadonlyArray<string> =>
  authkitDomains.concat(
    hosts.filter(({ field, host }) =>
      !matchesDomain(authkitDomains, host) && (field === "issuer" || isLoopbackHost(host))
    ).map(({ host }) => host)
  )

/** Builds the metadata of AuthKit: all endpoints follow from the issuer. */
const document = (name: DocumentName, provider: JwtProvider): Record<string, unknown> => {
  const base = `${withoutSlash(provider.issuer)}/oauth2`
  return {
    issuer: provider.issuer,
    authorization_endpoint: provider.endpoints.authorize ?? `${base}/authorize`,
    token_endpoint: provider.endpoints.token ?? `${base}/token`,
    userinfo_endpoint: provider.endpoints.userinfo ?? `${base}/userinfo`,
    jwks_uri: `${base}/jwks`,
    registration_endpoint: `${base}/register`,
    introspection_endpoint: `${base}/introspection`,
    revocation_endpoint: `${base}/revoke`,
    scopes_supported: ["email", "offline_access", "openid", "profile"],
    ...codeFlowMembers(name, provider)
  }
}

/** The type for JWTs of WorkOS AuthKit. Only the AuthKit domain must be configured. */
export const authkit: ProviderType<JwtProvider> = {
  ...jwtType,
  name: "authkit",
  fields: jwtFields,
  isMeantBy,
  resolve: (fields, context) =>
    resolveJwt(fields, {
      type: "authkit",
      context,
      readIssuer: (fields) =>
        readIssuer(fields, "authkit", {
          example: "Set it to your AuthKit domain, as in https://your-tenant.authkit.app"
        }),
      defaultKeys: (issuer) => ({ _tag: "Jwks", uri: `${withoutSlash(issuer)}/oauth2/jwks` }),
      defaultDomains
    }),
  advertisedIssuers,
  metadata: (provider, name) => ({ _tag: "Document", document: document(name, provider) })
}

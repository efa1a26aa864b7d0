import { readIssuer } from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { codeFlowMembers, jwtFields, type JwtProvider, jwtType, resolveJwt } from "./jwt.ts"
import { advertisedIssuers, fetchMetadata } from "./metadata.ts"
import type { ProviderType } from "./ProviderType.ts"

/** Builds the metadata from the configured endpoints. */
const document = (name: DocumentName, provider: JwtProvider): Record<string, unknown> => {
  const { authorize, token, userinfo } = provider.endpoints
  return {
    issuer: advertisedIssuers(provider)[0],
    authorization_endpoint: authorize,
    token_endpoint: token,
    ...(userinfo === undefined ? {} : { userinfo_endpoint: userinfo }),
    ...codeFlowMembers(name, provider)
  }
}

/** The type for JWTs of any OpenID provider or OAuth authorization server, with keys by discovery, by URL, or as PEM. */
export const oidc: ProviderType<JwtProvider> = {
  ...jwtType,
  name: "oidc",
  aliases: ["jwt"],
  fields: [...jwtFields, "discovery_url", "tenants", "assume_pkce"],
  isMeantBy: (given) => given.has("issuer") || !given.has("tokens"),
  resolve: (fields, context) =>
    resolveJwt(fields, {
      type: "oidc",
      context,
      readIssuer: (fields) =>
        readIssuer(fields, "oidc", {
          mayBeName: fields.given.has("jwks_uri") || fields.given.has("public_key"),
          mayBeTemplate: true
        }),
      defaultKeys: () => ({ _tag: "Discovery" })
    }),
  describe: (provider) => ({ ...jwtType.describe(provider), assume_pkce: provider.assumePkce ?? true }),
  advertisedIssuers,
  metadata: (provider, name) =>
    provider.endpoints.authorize !== undefined && provider.endpoints.token !== undefined
      ? { _tag: "Document", document: document(name, provider) }
      : fetchMetadata(provider)
}

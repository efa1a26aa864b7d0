import type {
  GatewaySettings,
  IntrospectionProvider,
  JwtProvider,
  Provider,
  StaticProvider,
  UserinfoProvider
} from "../config/GatewaySettings.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { advertisedIssuers } from "./advertised.ts"

/** How the gateway answers a question for the authorization server's metadata. */
export type AuthorizationServerAnswer =
  /** The document is known without asking. */
  | { readonly _tag: "Document"; readonly document: Readonly<Record<string, unknown>> }
  /** The provider's own document is to be fetched and shown, under this issuer. */
  | { readonly _tag: "Fetch"; readonly provider: IssuingProvider; readonly issuer: string }
  /** The client is to ask the provider itself, at whichever place has the document. */
  | { readonly _tag: "Redirect"; readonly provider: UserinfoProvider | IntrospectionProvider }
  | { readonly _tag: "NotSupported" }

/** A provider that has an issuer. */
export type IssuingProvider = Exclude<Provider, StaticProvider> & Pick<JwtProvider, "tenants" | "assumePkce">

const codeFlow = {
  response_types_supported: ["code"],
  response_modes_supported: ["query"],
  grant_types_supported: ["authorization_code", "refresh_token"],
  code_challenge_methods_supported: ["S256"],
  token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"]
}

// OpenID Connect Discovery 1.0, section 3: required members that OAuth's own document does not have.
const openIdMembers = {
  subject_types_supported: ["public"],
  claims_supported: ["sub", "iss", "aud", "exp", "iat", "email", "name"]
}

const openId = (name: DocumentName, provider: JwtProvider): Record<string, unknown> =>
  name === "openid-configuration"
    ? { ...openIdMembers, id_token_signing_alg_values_supported: provider.algorithms }
    : {}

const jwksUri = (provider: JwtProvider): Record<string, unknown> =>
  provider.keys._tag === "Jwks" ? { jwks_uri: provider.keys.uri } : {}

/** AuthKit's endpoints all follow from its issuer. */
const authKit = (name: DocumentName, provider: JwtProvider): Record<string, unknown> => {
  const base = `${withoutSlash(provider.issuer)}/oauth2`
  return {
    issuer: provider.issuer,
    authorization_endpoint: provider.endpoints.authorize ?? `${base}/authorize`,
    token_endpoint: provider.endpoints.token ?? `${base}/token`,
    userinfo_endpoint: provider.endpoints.userinfo ?? `${base}/userinfo`,
    jwks_uri: `${base}/jwks`,
    ...jwksUri(provider),
    registration_endpoint: `${base}/register`,
    introspection_endpoint: `${base}/introspection`,
    revocation_endpoint: `${base}/revoke`,
    scopes_supported: ["email", "offline_access", "openid", "profile"],
    ...codeFlow,
    ...openId(name, provider)
  }
}

const configured = (name: DocumentName, provider: JwtProvider): Record<string, unknown> => ({
  issuer: advertisedIssuers(provider)[0],
  authorization_endpoint: provider.endpoints.authorize,
  token_endpoint: provider.endpoints.token,
  ...(provider.endpoints.userinfo === undefined ? {} : { userinfo_endpoint: provider.endpoints.userinfo }),
  ...jwksUri(provider),
  ...codeFlow,
  ...openId(name, provider)
})

/** Of several tenants without a document for all the first one's, which is the one that clients are told first. */
const fetchFrom = (provider: IssuingProvider): AuthorizationServerAnswer => {
  const issuer = advertisedIssuers(provider)[0] ?? provider.issuer
  return {
    _tag: "Fetch",
    provider: provider.discoveryUrl === undefined ? { ...provider, issuer, tenants: undefined } : provider,
    issuer
  }
}

const ofProvider = (provider: Provider, name: DocumentName): AuthorizationServerAnswer => {
  switch (provider.type) {
    case "static":
      return { _tag: "NotSupported" }
    case "authkit":
      return { _tag: "Document", document: authKit(name, provider) }
    case "oidc":
      if (provider.endpoints.authorize !== undefined && provider.endpoints.token !== undefined) {
        return { _tag: "Document", document: configured(name, provider) }
      }
      return fetchFrom(provider)
    case "userinfo":
    case "introspection":
      // A configured place may be one that only the gateway can reach.
      return provider.discoveryUrl === undefined ? { _tag: "Redirect", provider } : fetchFrom(provider)
  }
}

/**
 * Decides where the authorization server's metadata comes from.
 *
 * Clients of the protected resource metadata take its first authorization server, so the first provider that has one
 * answers here too.
 */
export const authorizationServer = (settings: GatewaySettings, name: DocumentName): AuthorizationServerAnswer => {
  const provider = settings.providers.find((provider) =>
    provider.type !== "static" && advertisedIssuers(provider).length > 0
  )
  return provider === undefined ? { _tag: "NotSupported" } : ofProvider(provider, name)
}

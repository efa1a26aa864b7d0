import type { JwtProvider, KeySource } from "../GatewaySettings.ts"
import { withoutSlash } from "../kinds/resourceUrl.ts"
import type { FieldReader } from "./FieldReader.ts"
import {
  allowedClients,
  allowedDomains,
  audience,
  type ProviderContext,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer,
  readTenants
} from "./providerParts.ts"

/** A provider of JWTs, or `undefined` after complaining about everything that is wrong with it. */
export const resolveJwtProvider = (
  fields: FieldReader,
  type: JwtProvider["type"],
  context: ProviderContext
): JwtProvider | undefined => {
  const jwksUri = fields.read("jwks_uri")
  const publicKey = fields.read("public_key")
  const hasUri = fields.given.has("jwks_uri")
  const hasKey = fields.given.has("public_key")
  if (hasUri && hasKey) {
    fields.complain("public_key", {
      problem: `Cannot specify both ${fields.label("jwks_uri")} and ${fields.label("public_key")}`,
      cure: "Keep the key set if the issuer publishes one, else the public key"
    })
  }
  const issuer = readIssuer(fields, type, type === "oidc" && (hasUri || hasKey))
  const tenants = readTenants(fields)
  const discovery = readDiscoveryUrl(fields)
  const assumePkce = fields.read("assume_pkce")
  const endpoints = {
    authorize: fields.read("authorize_endpoint"),
    token: fields.read("token_endpoint"),
    userinfo: fields.read("userinfo_endpoint")
  }
  const rest = {
    ...readCommon(fields, type),
    ...readIdentityRules(fields),
    type,
    audience: audience(fields, context),
    allowedClients: allowedClients(fields),
    algorithms: fields.read("algorithms") ?? ["RS256" as const],
    requireAccessTokenType: fields.read("require_at_jwt") ?? false,
    endpoints,
    allowedDomains: allowedDomains(fields, type, [
      ["issuer", issuer],
      ["jwks_uri", jwksUri],
      ["discovery_url", discovery.discoveryUrl],
      ["authorize_endpoint", endpoints.authorize],
      ["token_endpoint", endpoints.token],
      ["userinfo_endpoint", endpoints.userinfo]
    ])
  }
  if (issuer === undefined) return undefined
  const ownKeys: KeySource = type === "authkit"
    ? { _tag: "Jwks", uri: `${withoutSlash(issuer)}/oauth2/jwks` }
    : { _tag: "Discovery" }
  const keys: KeySource = jwksUri !== undefined
    ? { _tag: "Jwks", uri: jwksUri }
    : publicKey !== undefined
    ? { _tag: "PublicKey", pem: publicKey }
    : ownKeys
  return { ...rest, ...discovery, ...tenants, ...(assumePkce === undefined ? {} : { assumePkce }), issuer, keys }
}

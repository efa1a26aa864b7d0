import type { ClientAuth, IntrospectionProvider } from "../config/GatewaySettings.ts"
import type { Json } from "../config/Json.ts"
import type { FieldReader } from "../config/providers/FieldReader.ts"
import {
  allowedClients,
  allowedDomains,
  audience,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "../config/providers/providerParts.ts"
import { audienceWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import type { ProviderType } from "./ProviderType.ts"

/** What each way to authenticate needs, and what it does not use. */
const credentials = {
  basic: { needs: ["client_id", "client_secret"], others: [] },
  post: { needs: ["client_id", "client_secret"], others: [] },
  bearer: { needs: ["client_secret"], others: ["client_id"] },
  none: { needs: [], others: ["client_id", "client_secret"] }
} as const

/** How the gateway authenticates, after reporting what is missing or not used. */
const readClientAuth = (fields: FieldReader): ClientAuth | undefined => {
  const method = fields.read("client_auth") ?? (fields.given.has("client_auth") ? undefined : "basic")
  const clientId = fields.read("client_id")
  const clientSecret = fields.read("client_secret")
  if (method === undefined) return undefined
  for (const field of credentials[method].needs) {
    if (!fields.given.has(field)) {
      fields.report(field, {
        problem: "is missing; a provider of type introspection needs it",
        cure: `Set it, or choose another way to authenticate with ${fields.label("client_auth")}`
      })
    }
  }
  for (const field of credentials[method].others) {
    if (fields.given.has(field)) {
      fields.report(field, {
        problem: `has no use where ${fields.label("client_auth")} is ${method}`,
        cure: "Remove it, or choose another way"
      })
    }
  }
  if (method === "none") return { method }
  if (clientSecret === undefined) return undefined
  if (method === "bearer") return { method, token: clientSecret }
  return clientId === undefined ? undefined : { method, clientId, clientSecret }
}

const describeClientAuth = (auth: ClientAuth): { readonly [member: string]: Json } => ({
  client_auth: auth.method,
  ...("clientId" in auth ? { client_id: auth.clientId } : {}),
  ...(auth.method === "none" ? {} : { client_secret: "(hidden)" })
})

const hasBlank = (auth: ClientAuth): boolean => "clientId" in auth && /\s/.test(auth.clientId)

/** Opaque tokens, verified by introspection (RFC 7662). */
export const introspection: ProviderType<IntrospectionProvider> = {
  name: "introspection",
  fields: [
    "issuer",
    "audience",
    "allowed_clients",
    "discovery_url",
    "require_verified_email",
    "hosts",
    "allow_http",
    "introspection_endpoint",
    "client_auth",
    "client_id",
    "client_secret"
  ],
  identifiedBy: ["issuer", "introspection_endpoint"],
  resolve: (fields, context) => {
    const issuer = readIssuer(fields, "introspection")
    const introspectionEndpoint = fields.read("introspection_endpoint")
    const discovery = readDiscoveryUrl(fields)
    const clientAuth = readClientAuth(fields)
    const rest = {
      ...readCommon(fields, "introspection"),
      ...readIdentityRules(fields),
      ...discovery,
      audience: audience(fields, context),
      allowedClients: allowedClients(fields),
      allowedDomains: allowedDomains(fields, [
        ["issuer", issuer],
        ["introspection_endpoint", introspectionEndpoint],
        ["discovery_url", discovery.discoveryUrl]
      ])
    }
    const isWrong = introspectionEndpoint === undefined && fields.given.has("introspection_endpoint")
    return issuer === undefined || isWrong || clientAuth === undefined
      ? undefined
      : { ...rest, issuer, introspectionEndpoint, clientAuth }
  },
  describe: (provider) => ({
    issuer: provider.issuer,
    audience: provider.audience,
    allowed_clients: provider.allowedClients,
    require_verified_email: provider.requireVerifiedEmail,
    ...(provider.discoveryUrl === undefined ? {} : { discovery_url: provider.discoveryUrl }),
    introspection_endpoint: provider.introspectionEndpoint ?? "(from the issuer's discovery document)",
    ...describeClientAuth(provider.clientAuth)
  }),
  warnings: (provider, { settings }) => [
    ...audienceWarnings(provider, settings),
    ...(hasBlank(provider.clientAuth)
      ? ["the client id has a blank in it. Check that it is one client id and nothing else."]
      : [])
  ],
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata
}

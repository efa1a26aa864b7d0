/** What an entry of `MCP_PROVIDERS` may hold, in the terms of the settings that describe a single provider. */
import type { Provider } from "../GatewaySettings.ts"
import type { Decoded, Input, SettingName } from "../settings.ts"

export type ProviderType = Provider["type"]

export interface ProviderField<out N extends SettingName = SettingName> {
  /** The setting with the same kind and meaning. */
  readonly setting: N
  /** The provider types that have a use for it. */
  readonly types: ReadonlyArray<ProviderType>
  /** The setting speaks of the whole gateway, so that it does not describe the single provider. */
  readonly gatewayWide?: true
}

const all = ["authkit", "oidc", "static", "userinfo", "introspection"] as const
const jwt = ["authkit", "oidc"] as const
const remote = ["authkit", "oidc", "userinfo", "introspection"] as const

const table = {
  type: { setting: "MCP_PROVIDER_TYPE", types: all },
  name: { setting: "MCP_PROVIDER_NAME", types: all },
  issuer: { setting: "MCP_JWT_ISSUER", types: remote },
  audience: { setting: "MCP_JWT_AUDIENCE", types: ["authkit", "oidc", "introspection"] },
  allowed_clients: { setting: "MCP_ALLOWED_CLIENTS", types: ["authkit", "oidc", "introspection"] },
  jwks_uri: { setting: "MCP_JWT_JWKS_URI", types: jwt },
  discovery_url: { setting: "MCP_DISCOVERY_URL", types: ["oidc", "userinfo", "introspection"] },
  tenants: { setting: "MCP_JWT_TENANTS", types: ["oidc"] },
  assume_pkce: { setting: "MCP_ASSUME_PKCE", types: ["oidc"] },
  public_key: { setting: "MCP_JWT_PUBLIC_KEY", types: jwt },
  algorithms: { setting: "MCP_JWT_ALGORITHM", types: jwt },
  require_at_jwt: { setting: "MCP_REQUIRE_AT_JWT", types: jwt },
  require_verified_email: { setting: "MCP_REQUIRE_VERIFIED_EMAIL", types: remote },
  required_scopes: { setting: "MCP_REQUIRED_SCOPES", types: all, gatewayWide: true },
  allowed_domains: { setting: "MCP_ALLOWED_DOMAINS", types: remote },
  allow_http: { setting: "MCP_ALLOW_HTTP", types: remote, gatewayWide: true },
  token_prefix: { setting: "MCP_TOKEN_PREFIX", types: all },
  tokens: { setting: "MCP_STATIC_TOKENS", types: ["static"] },
  authorize_endpoint: { setting: "MCP_OAUTH_AUTHORIZE_ENDPOINT", types: jwt },
  token_endpoint: { setting: "MCP_OAUTH_TOKEN_ENDPOINT", types: jwt },
  userinfo_endpoint: { setting: "MCP_OAUTH_USERINFO_ENDPOINT", types: ["authkit", "oidc", "userinfo"] },
  introspection_endpoint: { setting: "MCP_INTROSPECTION_URL", types: ["introspection"] },
  client_auth: { setting: "MCP_CLIENT_AUTH", types: ["introspection"] },
  client_id: { setting: "MCP_CLIENT_ID", types: ["introspection"] },
  client_secret: { setting: "MCP_CLIENT_SECRET", types: ["introspection"] }
} as const satisfies Record<string, ProviderField>

type Table = typeof table

export type ProviderFieldName = keyof Table

/** What a field is after decoding. */
export type FieldValue<F extends ProviderFieldName> = Decoded<Table[F]["setting"]>

/** One provider in TypeScript code, and in JSON: the fields that its type has a use for. */
export type ProviderInput = { readonly [F in ProviderFieldName]?: Input<Table[F]["setting"]> | undefined }

/** The fields, by name, in the order of the reference. */
export const providerFields: { readonly [F in ProviderFieldName]: ProviderField<Table[F]["setting"]> } = table

// `Object.keys` has no narrower type; the table is a constant.
export const providerFieldNames = Object.keys(table) as ReadonlyArray<ProviderFieldName>

/**
 * The fields of an entry of `MCP_PROVIDERS`, each with the setting that describes it for a single provider. The types
 * declare which fields they use.
 */
import type { Decoded, SettingName } from "../settings.ts"

export interface ProviderField<out N extends SettingName = SettingName> {
  /** The setting with the same kind and meaning. */
  readonly setting: N
  /** The former name of the field, which is still accepted. */
  readonly formerly?: string
  /** Whether the setting is about the whole gateway, so that it does not describe a single provider. */
  readonly gatewayWide?: true
}

const table = {
  preset: { setting: "MCP_PROVIDER_PRESET" },
  type: { setting: "MCP_PROVIDER_TYPE" },
  name: { setting: "MCP_PROVIDER_NAME" },
  issuer: { setting: "MCP_JWT_ISSUER" },
  audience: { setting: "MCP_JWT_AUDIENCE" },
  allowed_clients: { setting: "MCP_ALLOWED_CLIENTS" },
  jwks_uri: { setting: "MCP_JWT_JWKS_URI" },
  discovery_url: { setting: "MCP_DISCOVERY_URL" },
  tenants: { setting: "MCP_JWT_TENANTS" },
  assume_pkce: { setting: "MCP_ASSUME_PKCE" },
  stand_in_metadata: { setting: "MCP_STAND_IN_METADATA" },
  public_key: { setting: "MCP_JWT_PUBLIC_KEY" },
  algorithms: { setting: "MCP_JWT_ALGORITHM" },
  require_at_jwt: { setting: "MCP_REQUIRE_AT_JWT" },
  require_verified_email: { setting: "MCP_REQUIRE_VERIFIED_EMAIL" },
  subject_claims: { setting: "MCP_SUBJECT_CLAIMS" },
  client_claims: { setting: "MCP_CLIENT_CLAIMS" },
  scope_claims: { setting: "MCP_SCOPE_CLAIMS" },
  scopes_requested: { setting: "MCP_SCOPES_REQUESTED" },
  group_claims: { setting: "MCP_GROUP_CLAIMS" },
  required_scopes: { setting: "MCP_REQUIRED_SCOPES", gatewayWide: true },
  hosts: { setting: "MCP_PROVIDER_HOSTS", formerly: "allowed_domains" },
  allow_http: { setting: "MCP_ALLOW_HTTP", gatewayWide: true },
  token_prefix: { setting: "MCP_TOKEN_PREFIX" },
  tokens: { setting: "MCP_STATIC_TOKENS" },
  authorize_endpoint: { setting: "MCP_OAUTH_AUTHORIZE_ENDPOINT" },
  token_endpoint: { setting: "MCP_OAUTH_TOKEN_ENDPOINT" },
  userinfo_endpoint: { setting: "MCP_OAUTH_USERINFO_ENDPOINT" },
  tokeninfo_endpoint: { setting: "MCP_TOKENINFO_URL" },
  tokeninfo_parameter: { setting: "MCP_TOKENINFO_PARAMETER" },
  introspection_endpoint: { setting: "MCP_INTROSPECTION_URL" },
  client_auth: { setting: "MCP_CLIENT_AUTH" },
  client_id: { setting: "MCP_CLIENT_ID" },
  client_secret: { setting: "MCP_CLIENT_SECRET" },
  facade: { setting: "MCP_FACADE" }
} as const satisfies Record<string, ProviderField>

type Table = typeof table

export type ProviderFieldName = keyof Table

export type FieldValue<F extends ProviderFieldName> = Decoded<Table[F]["setting"]>

/** The fields by name, in the order of the reference. */
export const providerFields: { readonly [F in ProviderFieldName]: ProviderField<Table[F]["setting"]> } = table

// `Object.keys` has no narrower type; the table is a constant.
export const providerFieldNames = Object.keys(table) as ReadonlyArray<ProviderFieldName>

export const isProviderField = (name: string): name is ProviderFieldName => Object.hasOwn(table, name)

export const formerFields: ReadonlyMap<string, ProviderFieldName> = new Map(
  providerFieldNames.flatMap((field) => {
    const { formerly } = providerFields[field]
    return formerly === undefined ? [] : [[formerly, field]]
  })
)

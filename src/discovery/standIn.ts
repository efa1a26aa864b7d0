/** The gateway's own metadata with a provider's endpoints (RFC 8414). Pure. */
import type { AuthorizationServerMetadata } from "../providers/AuthorizationServerMetadata.ts"

type Document = Readonly<Record<string, unknown>>

/** The parts of the metadata other than the provider's endpoints. */
interface StandIn {
  readonly provider: string
  /** The gateway's own. */
  readonly issuer: string
  readonly scopes: ReadonlyArray<string>
  /** If `false`, the provider does not support PKCE. */
  readonly assumePkce: boolean
}

/** Members that clients need, and that are copied from the provider. */
const copied = [
  "authorization_endpoint",
  "token_endpoint",
  "registration_endpoint",
  "revocation_endpoint",
  "device_authorization_endpoint",
  "pushed_authorization_request_endpoint",
  "grant_types_supported",
  "token_endpoint_auth_methods_supported",
  "code_challenge_methods_supported",
  "client_id_metadata_document_supported",
  "service_documentation"
]

// Empty members are left out (RFC 8414, section 3.2), and serializers write `null` for missing ones.
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

const standInDocument = (own: Document, { assumePkce, issuer, scopes }: StandIn): Document => {
  const members = copied.flatMap((name) => {
    const value = Object.hasOwn(own, name) ? own[name] : undefined
    return isEmpty(value) ? [] : [[name, value] as const]
  })
  return {
    issuer,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    ...(assumePkce ? { code_challenge_methods_supported: ["S256"] } : {}),
    token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"],
    ...Object.fromEntries(members),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes })
  }
}

/** Returns why clients could not use the document: they would reject it, or find no endpoint. */
const unusable = (own: Document): string | undefined => {
  if (own["authorization_response_iss_parameter_supported"] === true) {
    return "the provider names itself in its responses (RFC 9207), so clients would reject them under another issuer: " +
      "remove MCP_STAND_IN_METADATA, or use a facade"
  }
  const missing = ["authorization_endpoint", "token_endpoint"].find((name) => typeof own[name] !== "string")
  return missing === undefined ? undefined : `the provider's metadata have no ${missing}`
}

/**
 * Builds metadata with the gateway as the issuer, and the provider's endpoints.
 *
 * They name no keys, no user information and no introspection, because the gateway issues no tokens. Clients get the
 * provider's tokens, with the provider's issuer.
 */
export const standIn = (own: AuthorizationServerMetadata, rules: StandIn): AuthorizationServerMetadata => {
  const present = (document: Document) => standInDocument(document, rules)
  switch (own._tag) {
    case "Document":
      return { _tag: "Document", document: present(own.document) }
    case "Fetch":
      return { ...own, present, unusable }
    case "Redirect":
      return { _tag: "Fetch", provider: rules.provider, source: own.source, issuer: rules.issuer, present, unusable }
    case "NotSupported":
      return own
  }
}

import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl } from "./publicUrl.ts"

/** The document that tells clients where to get a token for this resource (RFC 9728, section 2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: ReadonlyArray<string>
  readonly bearer_methods_supported: readonly ["header"]
  readonly scopes_supported?: ReadonlyArray<string>
}

/** Issuers of all providers that have one, in the order of the configuration, each once. */
const issuers = (settings: GatewaySettings): ReadonlyArray<string> => [
  ...new Set(settings.providers.flatMap((provider) => provider.type === "static" ? [] : [provider.issuer]))
]

/** `MCP_SCOPES_SUPPORTED`, else every scope that some request needs. */
const scopes = (settings: GatewaySettings): ReadonlyArray<string> =>
  settings.scopesSupported.length > 0
    ? settings.scopesSupported
    : [...new Set([...settings.requiredScopes, ...settings.providers.flatMap((provider) => provider.requiredScopes)])]

/**
 * Builds the protected resource metadata.
 *
 * `authorization_servers` are the issuers character for character, because clients compare them with the issuer of
 * the authorization server's own metadata.
 *
 * @param publicUrl from `publicUrl`
 */
export const protectedResource = (settings: GatewaySettings, publicUrl: string): ProtectedResourceMetadata => {
  const supported = scopes(settings)
  return {
    resource: resourceUrl(publicUrl, settings.path),
    authorization_servers: issuers(settings),
    bearer_methods_supported: ["header"],
    ...(supported.length > 0 ? { scopes_supported: supported } : {})
  }
}

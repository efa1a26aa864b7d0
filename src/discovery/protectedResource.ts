import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { advertisedBy } from "./advertised.ts"
import { requestedScopes } from "./requestedScopes.ts"

/** The document that tells clients where to get a token for this resource (RFC 9728, section 2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers?: ReadonlyArray<string>
  readonly bearer_methods_supported: readonly ["header"]
  readonly scopes_supported?: ReadonlyArray<string>
}

/**
 * Issuers from which clients can get a token, each once, in the order of the configuration. An issuer need not be a
 * URL.
 */
const issuers = (
  settings: GatewaySettings
): ReadonlyArray<string> => [...new Set(settings.providers.flatMap((provider) => advertisedBy(settings, provider)))]

/**
 * Builds the protected resource metadata.
 *
 * `authorization_servers` contains the issuers unchanged, because clients compare them with the issuer in the
 * authorization server's own metadata.
 *
 * @param publicUrl from `publicUrl`
 */
export const protectedResource = (settings: GatewaySettings, publicUrl: string): ProtectedResourceMetadata => {
  const servers = issuers(settings)
  const scopes = requestedScopes(settings, settings.scopesSupported)
  // RFC 9728, section 3.2: a member without elements is left out.
  return {
    resource: resourceUrl(publicUrl, settings.path),
    ...(servers.length > 0 ? { authorization_servers: servers } : {}),
    bearer_methods_supported: ["header"],
    ...(scopes.length > 0 ? { scopes_supported: scopes } : {})
  }
}

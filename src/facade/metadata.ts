/** The gateway's metadata as an authorization server. Pure. */
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { assertionKeys } from "./assertionKeys.ts"
import { assertionGrant, assertionProfile } from "./assertionNames.ts"
import { facadeIssuer, type FacadeProvider, facadeUrl } from "./places.ts"
import { scopeNames } from "./scopes.ts"

// Required members of OpenID Connect Discovery 1.0, section 3. Clients get no ID token, and the key set is empty.
const openIdMembers = (settings: GatewaySettings) => ({
  jwks_uri: facadeUrl(settings, "keys"),
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"]
})

/**
 * Builds the document (RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3) from settings alone, so that no
 * request can influence it.
 */
export const facadeMetadata = (
  settings: GatewaySettings,
  provider: FacadeProvider,
  name: DocumentName,
  supportsClientMetadata: boolean
): Record<string, unknown> => {
  const { facade } = provider
  const assertions = assertionKeys(settings, provider) !== undefined
  const scopes = scopeNames(settings, provider).offered
  return {
    issuer: facadeIssuer(settings),
    authorization_endpoint: facadeUrl(settings, "authorize"),
    token_endpoint: facadeUrl(settings, "token"),
    revocation_endpoint: facadeUrl(settings, "revoke"),
    ...(facade.registration ? { registration_endpoint: facadeUrl(settings, "register") } : {}),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token", ...(assertions ? [assertionGrant] : [])],
    ...(assertions ? { authorization_grant_profiles_supported: [assertionProfile] } : {}),
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: facade.clientMetadata && supportsClientMetadata,
    ...(name === "openid-configuration" ? openIdMembers(settings) : {})
  }
}

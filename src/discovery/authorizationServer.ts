import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { facadeMetadata } from "../facade/metadata.ts"
import { facadeIssuer, facadeProvider } from "../facade/places.ts"
import type { AuthorizationServerMetadata } from "../providers/AuthorizationServerMetadata.ts"
import { typeOf } from "../providers/types.ts"
import { advertisedBy } from "./advertised.ts"
import { requestedScopes } from "./requestedScopes.ts"
import { standIn } from "./standIn.ts"

/**
 * Determines the source of the authorization server's metadata.
 *
 * Clients use the first authorization server in the protected resource metadata, so these metadata are those of the
 * first provider that advertises one. If the provider has a facade, or `stand_in_metadata`, the gateway itself is the
 * authorization server.
 *
 * @param supportsClientMetadata whether the host can fetch the documents of clients
 */
export const authorizationServer = (
  settings: GatewaySettings,
  name: DocumentName,
  supportsClientMetadata = false
): AuthorizationServerMetadata => {
  const facade = facadeProvider(settings)
  if (facade !== undefined) {
    return { _tag: "Document", document: facadeMetadata(settings, facade, name, supportsClientMetadata) }
  }
  const provider = settings.providers.find(({ standInMetadata }) => standInMetadata === true) ??
    settings.providers.find((provider) => advertisedBy(settings, provider).length > 0)
  if (provider === undefined) return { _tag: "NotSupported" }
  const own = typeOf(settings, provider).metadata?.(provider, name) ?? { _tag: "NotSupported" }
  if (provider.standInMetadata !== true) return own
  // The document of OpenID Connect is about ID tokens, which the gateway does not issue.
  return name === "openid-configuration" ? { _tag: "NotSupported" } : standIn(own, {
    provider: provider.name,
    issuer: facadeIssuer(settings),
    scopes: requestedScopes(settings, settings.scopesSupported),
    assumePkce: !("assumePkce" in provider && provider.assumePkce === false)
  })
}

import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { facadeMetadata } from "../facade/metadata.ts"
import { facadeProvider } from "../facade/places.ts"
import type { AuthorizationServerMetadata } from "../providers/AuthorizationServerMetadata.ts"
import { typeOf } from "../providers/types.ts"
import { advertisedBy } from "./advertised.ts"

/**
 * Decides where the authorization server's metadata comes from.
 *
 * Clients of the protected resource metadata take its first authorization server, so the metadata here are those of the
 * first provider that advertises one. Where a provider has a facade, the gateway itself is the authorization server.
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
  const provider = settings.providers.find((provider) => advertisedBy(settings, provider).length > 0)
  return provider === undefined
    ? { _tag: "NotSupported" }
    : typeOf(settings, provider).metadata?.(provider, name) ?? { _tag: "NotSupported" }
}

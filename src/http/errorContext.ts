import type { ErrorStyle, GatewaySettings } from "../config/GatewaySettings.ts"
import type { ErrorContext } from "./errorResponse.ts"
import type { Exchange } from "./Exchange.ts"
import { insertedMetadataUrl, metadataUrl } from "./publicUrl.ts"

/** What the answer to an error of this exchange depends on, as far as the exchange has come. */
export const errorContext = (settings: GatewaySettings, { base, route }: Exchange): ErrorContext => {
  const style: ErrorStyle = settings.errorStyle === "jsonrpc" && route?._tag !== "Mcp" ? "oauth" : settings.errorStyle
  const url = base === undefined
    ? undefined
    : style === "rfc6750"
    ? insertedMetadataUrl(base, settings.path)
    : metadataUrl(base)
  return { style, resourceMetadata: url, requiredScopes: settings.requiredScopes }
}

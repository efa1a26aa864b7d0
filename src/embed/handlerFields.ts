import * as Headers from "effect/http/Headers"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { fieldName } from "../identity/untrustedFields.ts"

/**
 * Returns the fields for a handler: without the token, which is no longer needed and must not be forwarded (MCP),
 * without the `Origin`, which was checked, and without fields that look like an identity from the gateway.
 */
export const handlerFields = (
  headers: Headers.Headers,
  { forwardAuthorization, tokenHeader }: Pick<GatewaySettings, "forwardAuthorization" | "tokenHeader">
): Headers.Headers =>
  Headers.removeMany(
    headers,
    Object.keys(headers).filter((name) => {
      const { folded } = fieldName(name)
      return name === "origin" || folded.startsWith("x-auth-") ||
        ((folded === "authorization" || name === tokenHeader) && !forwardAuthorization)
    })
  )

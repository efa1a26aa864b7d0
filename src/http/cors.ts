import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { isAllowedOrigin } from "../authorize/origin.ts"
import type { AllowedOrigins } from "../config/GatewaySettings.ts"

const usualHeaders = [
  "Authorization",
  "Content-Type",
  "Accept",
  "Mcp-Session-Id",
  "MCP-Protocol-Version",
  "Last-Event-ID",
  "Mcp-Method",
  "Mcp-Name"
].join(", ")

// Field names are tokens (RFC 9110, section 5.6.2). The length of the list is limited.
const fieldNames = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(?:, ?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}){0,63}$/

/** The fields that let an origin read the response: any origin, this one, or none. */
const allowOrigin = (allowed: AllowedOrigins, origin: string | undefined): Record<string, string> => {
  if (allowed._tag === "Any") return { "access-control-allow-origin": "*" }
  if (origin === undefined) return { "access-control-allow-origin": "*", vary: "Origin" }
  return isAllowedOrigin(allowed, origin)
    ? { "access-control-allow-origin": origin, vary: "Origin" }
    : { vary: "Origin" }
}

// One entry for each trace header. A program has one trace header, or very few.
const exposed = new Map<string, string>()

const exposedHeaders = (traceHeader: string): string => {
  const known = exposed.get(traceHeader)
  if (known !== undefined) return known
  const fields = `WWW-Authenticate, Mcp-Session-Id, Retry-After, ${traceHeader}`
  exposed.set(traceHeader, fields)
  return fields
}

/**
 * The CORS fields of every response, errors included.
 *
 * @param traceHeader the trace header, exposed in addition to `WWW-Authenticate`, `Mcp-Session-Id` and `Retry-After`
 * @see Fetch standard, section 3.3
 */
export const corsHeaders = (
  allowed: AllowedOrigins,
  origin: string | undefined,
  traceHeader: string
): Record<string, string> => {
  const fields = allowOrigin(allowed, origin)
  fields["access-control-expose-headers"] = exposedHeaders(traceHeader)
  return fields
}

/**
 * Responds to a preflight: 204, before credentials are read. `corsHeaders` decides which origin may continue.
 *
 * @param requested `Access-Control-Request-Headers`, echoed if it is a list of field names
 */
export const preflight = (requested: string | undefined): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
      "access-control-allow-headers": requested !== undefined && fieldNames.test(requested) ? requested : usualHeaders,
      "access-control-max-age": "86400"
    }
  })

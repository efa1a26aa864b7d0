import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Match from "effect/Match"
import type { ErrorStyle } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { formatChallenge } from "./challenge.ts"
import { invalidRequestTexts, invalidTokenTexts } from "./errorTexts.ts"
import { jsonResponse } from "./jsonResponse.ts"

/** What an error becomes before a dialect is chosen. */
interface Projection {
  readonly status: number
  readonly error: string
  readonly description: string
  /** A challenge is due: 401 and 403. */
  readonly challenged?: boolean
  /** The request carried no credentials at all. */
  readonly missing?: boolean
  /** All scopes that the request needs. */
  readonly scope?: ReadonlyArray<string>
  readonly headers?: Readonly<Record<string, string>>
}

const unauthorized = (description: string): Projection => ({
  status: 401,
  error: "invalid_token",
  description,
  challenged: true
})

const insufficientScope = ({ required }: { readonly required: ReadonlyArray<string> }): Projection => ({
  status: 403,
  error: "insufficient_scope",
  description: "Token missing required scopes",
  challenged: true,
  scope: required
})

const serverError = (status: number, description: string): Projection => ({
  status,
  error: "server_error",
  description
})

/** Whole seconds, whatever a verifier of somebody else's says (RFC 9110, section 10.2.3). */
const retryAfterField = (seconds: number): string =>
  String(Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : retryAfterSeconds)

/** The only place where a `GatewayError` gets its status. An error added to the union does not compile until it is here. */
const project = Match.typeTags<GatewayError, Projection>()({
  MissingCredential: () => ({
    status: 401,
    error: "unauthorized",
    description: "Missing authorization header",
    challenged: true,
    missing: true
  }),
  UnsupportedCredential: () => unauthorized("Authorization header must use Bearer scheme"),
  InvalidToken: ({ reason }) => unauthorized(invalidTokenTexts[reason]),
  InvalidRequest: ({ reason }) => ({ status: 400, error: "invalid_request", description: invalidRequestTexts[reason] }),
  CredentialTooLarge: () => ({
    status: 431,
    error: "request_header_fields_too_large",
    description: "The token is too long"
  }),
  InsufficientScope: insufficientScope,
  AccessDenied: ({ reason }) => ({
    status: 403,
    error: "access_denied",
    description: reason === "Origin" ? "Origin not allowed" : "Access denied",
    challenged: true
  }),
  NotFound: () => ({ status: 404, error: "not_found", description: "Not found" }),
  SessionNotFound: () => ({ status: 404, error: "not_found", description: "Session not found" }),
  DiscoveryNotSupported: () => ({
    status: 404,
    error: "not_supported",
    description: "This gateway has no OAuth authorization server"
  }),
  MethodNotAllowed: ({ allow }) => ({
    status: 405,
    error: "method_not_allowed",
    description: "Method not allowed",
    headers: { allow: allow.join(", ") }
  }),
  PayloadTooLarge: () => ({ status: 413, error: "payload_too_large", description: "The request body is too large" }),
  UnsupportedMediaType: () => ({
    status: 415,
    error: "unsupported_media_type",
    description: "The request body must be uncompressed JSON"
  }),
  ProviderUnavailable: ({ retryAfter }) => ({
    ...serverError(500, "Internal server error"),
    headers: { "retry-after": retryAfterField(retryAfter) }
  }),
  UpstreamUnavailable: () => serverError(502, "MCP gateway unavailable"),
  UpstreamTimeout: () => serverError(504, "MCP gateway timed out"),
  UpstreamScopeRequired: insufficientScope,
  Overloaded: ({ retryAfter }) => ({
    ...serverError(503, "MCP gateway unavailable"),
    headers: { "retry-after": retryAfterField(retryAfter) }
  })
})

/** What an answer depends on beside the error. */
export interface ErrorContext {
  readonly style: ErrorStyle
  /** URL of the protected resource metadata, as the style wants it; `undefined` when `Host` does not tell it. */
  readonly resourceMetadata: string | undefined
  /** Scopes that every request needs; empty where there are none. */
  readonly requiredScopes: ReadonlyArray<string>
}

const challenge = (projection: Projection, { requiredScopes, resourceMetadata, style }: ErrorContext): string => {
  const bare = projection.missing === true && (style === "jsonrpc" || style === "rfc6750")
  const scope = projection.scope ?? (style === "rfc6750" && projection.status === 401 ? requiredScopes : [])
  const error = style === "unauthorized" && projection.status === 401 ? "unauthorized" : projection.error
  return formatChallenge({
    error: bare ? undefined : error,
    error_description: bare ? undefined : projection.description,
    scope: scope.length === 0 ? undefined : scope.join(" "),
    resource_metadata: resourceMetadata
  })
}

// JSON-RPC 2.0, section 5.1; -32000 to -32019 are the range that MCP leaves to implementations.
const jsonRpcCode = (status: number): number => {
  if (status === 401) return -32001
  if (status === 403) return -32003
  if (status === 400 || status === 413 || status === 415) return -32600
  return status >= 500 ? -32603 : -32000
}

const body = (projection: Projection, style: ErrorStyle): unknown => {
  const { description, missing, status } = projection
  const error = style === "unauthorized" && status === 401 ? "unauthorized" : projection.error
  if (style !== "jsonrpc") return { error, error_description: description }
  return {
    jsonrpc: "2.0",
    id: null,
    error: missing === true
      ? { code: jsonRpcCode(status), message: "Unauthorized: Bearer token required" }
      : { code: jsonRpcCode(status), message: description, data: { error, error_description: description } }
  }
}

const respond = (projection: Projection, context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  jsonResponse(projection.status, body(projection, context.style), {
    "cache-control": "no-store",
    ...projection.headers,
    ...(projection.challenged === true ? { "www-authenticate": challenge(projection, context) } : {})
  })

/** The answer to a fault of our own, in the same shape as every other error. */
export const internalFault = (context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  respond(serverError(500, "Internal server error"), context)

/** The answer to a request that the gateway has no time left for, since it ends. */
export const shuttingDown = (context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  respond(serverError(503, "The gateway is shutting down"), context)

/**
 * Answers a `GatewayError` in one of the four dialects (`MCP_ERROR_STYLE`).
 *
 * 401 and 403 carry a challenge; no answer may be stored.
 *
 * @see RFC 6750, section 3; RFC 9728, section 5.1; JSON-RPC 2.0, section 5.1
 */
export const errorResponse = (error: GatewayError, context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  respond(project(error), context)

import * as Base64 from "effect/encoding/Base64"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Match from "effect/Match"
import { advertisedScopes } from "../config/advertisedScopes.ts"
import type { ErrorStyle, GatewaySettings } from "../config/GatewaySettings.ts"
import { requestedScopes, scopesOfFirstToken } from "../discovery/requestedScopes.ts"
import type { GatewayError, InsufficientScope, TokenRequired } from "../errors/GatewayError.ts"
import { rejectionTexts } from "../facade/texts.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { formatChallenge } from "./challenge.ts"
import { bodyOf, dialects, type Problem } from "./dialects.ts"
import {
  accessDeniedText,
  headerMismatchTexts,
  insufficientScopeText,
  interactionRequiredText,
  invalidRequestTexts,
  invalidTokenTexts,
  missingProtocolVersionText,
  signInText,
  tokenTooLongText
} from "./errorTexts.ts"
import type { Exchange } from "./Exchange.ts"
import { jsonResponse } from "./jsonResponse.ts"
import { insertedMetadataUrl } from "./publicUrl.ts"

const unauthorized = (description: string): Problem => ({
  status: 401,
  error: "invalid_token",
  description,
  challenged: true
})

const missingCredential: Problem = {
  status: 401,
  error: "unauthorized",
  description: "Missing authorization header",
  challenged: true,
  missing: true
}

const insufficientScope = ({ required }: { readonly required: ReadonlyArray<string> }): Problem => ({
  status: 403,
  error: "insufficient_scope",
  description: insufficientScopeText,
  challenged: true,
  scope: required
})

const accessDenied = (description: string): Problem => ({
  status: 403,
  error: "access_denied",
  description,
  challenged: true
})

const serverError = (status: number, description: string): Problem => ({
  status,
  error: "server_error",
  description
})

/** In whole seconds (RFC 9110, section 10.2.3), even if an embedder's verifier returns fractions. */
const retryAfterField = (seconds: number): string =>
  String(Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : retryAfterSeconds)

const unavailable = ({ retryAfter }: { readonly retryAfter: number }): Problem => ({
  ...serverError(503, "MCP gateway unavailable"),
  headers: { "retry-after": retryAfterField(retryAfter) }
})

/**
 * The status and text of each error. Only this table assigns a status, and an error of the union without a row does not
 * compile.
 */
export const problemOf = Match.typeTags<GatewayError, Problem>()({
  MissingCredential: () => missingCredential,
  TokenRequired: ({ required }) => ({ ...missingCredential, scope: required }),
  UnsupportedCredential: () => unauthorized("Authorization header must use Bearer scheme"),
  InvalidToken: ({ reason }) => unauthorized(invalidTokenTexts[reason]),
  InvalidRequest: ({ reason }) => ({ status: 400, error: "invalid_request", description: invalidRequestTexts[reason] }),
  HeaderMismatch: ({ field, id }) => ({
    status: 400,
    error: "invalid_request",
    description: headerMismatchTexts[field],
    rpc: { code: -32020, id }
  }),
  MissingProtocolVersion: ({ id }) => ({
    status: 400,
    error: "invalid_request",
    description: missingProtocolVersionText,
    rpc: { code: -32602, id }
  }),
  CredentialTooLarge: () => ({
    status: 431,
    error: "request_header_fields_too_large",
    description: tokenTooLongText
  }),
  InsufficientScope: insufficientScope,
  AccessDenied: ({ reason }) => accessDenied(reason === "Origin" ? "Origin not allowed" : accessDeniedText),
  DeniedByRule: () => accessDenied(accessDeniedText),
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
  InteractionRequired: ({ claims, required }) => ({
    status: 403,
    error: "insufficient_scope",
    description: interactionRequiredText,
    challenged: true,
    scope: required,
    claims
  }),
  /** RFC 6749, section 5.2: only clients that sent credentials get a challenge. */
  OAuthRejected: ({ error, reason }) => ({
    status: error === "server_error" ? 500 : error === "temporarily_unavailable" ? 503 : 400,
    error,
    description: rejectionTexts[reason].en,
    ...(reason === "ClientCredentials" ? { status: 401, headers: { "www-authenticate": "Basic" } } : {})
  }),
  Overloaded: unavailable,
  /** RFC 6585, section 4. */
  RateLimited: ({ id = null, retryAfter }) => ({
    status: 429,
    id,
    error: "too_many_requests",
    description: "Too many requests",
    headers: { "retry-after": retryAfterField(retryAfter) }
  }),
  StoreUnavailable: unavailable
})

/** The status, code and text of an error response in a dialect, for documentation. */
export const summaryOf = (
  error: GatewayError,
  style: ErrorStyle
): Pick<Problem, "status" | "error" | "description"> => {
  const problem = problemOf(error)
  const { error: code = problem.error } = dialects[style].challenge(problem)
  return {
    status: problem.status,
    error: problem.challenged === true ? code : problem.error,
    description: problem.description
  }
}

/** What a response depends on besides the error. */
export interface ErrorContext {
  readonly style: ErrorStyle
  /** The URL of the protected resource metadata, in the form of the dialect; `undefined` if `Host` is unusable. */
  readonly resourceMetadata: string | undefined
  /** Scopes that every request needs, as far as they are known without a token; empty if no scope is required. */
  readonly requiredScopes: ReadonlyArray<string>
  /** Converts scopes to those that the client must request. Default: the same, without `offline_access`. */
  readonly requested?: (scopes: ReadonlyArray<string>) => ReadonlyArray<string>
}

/** The context of an error response, from the current state of the exchange. */
export const errorContext = (settings: GatewaySettings, { base, identity, route }: Exchange): ErrorContext => {
  const { elsewhere = settings.errorStyle } = dialects[settings.errorStyle]
  const style = route?.row.access === "protected" ? settings.errorStyle : elsewhere
  return {
    style,
    // The document at the root of the host may describe another server, so the URL has the path inserted.
    resourceMetadata: base === undefined
      ? undefined
      : (settings.serverName === "" ? dialects[style].metadataUrl : insertedMetadataUrl)(base, settings.path),
    requiredScopes: identity === undefined ? scopesOfFirstToken(settings) : settings.requiredScopes,
    requested: (scopes) => requestedScopes(settings, scopes, identity?.provider)
  }
}

const challenge = (
  problem: Problem,
  { requested = advertisedScopes, requiredScopes, resourceMetadata, style }: ErrorContext
): string => {
  // MCP 2026-07-28, authorization: a 401 names the scopes to request, if they are known.
  const needed = problem.status === 401 ? [...new Set([...requiredScopes, ...problem.scope ?? []])] : problem.scope
  const scope = requested(needed ?? [])
  return formatChallenge({
    ...dialects[style].challenge(problem),
    scope: scope.length === 0 ? undefined : scope.join(" "),
    resource_metadata: resourceMetadata,
    claims: problem.claims === undefined ? undefined : Base64.encode(problem.claims)
  })
}

/** An error response, before it is written as JSON. */
export interface ErrorResponse {
  readonly status: number
  /** Names in lower case. CORS fields and the trace id are added to them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Changes the response to an error; returns the given response to leave it unchanged. */
export type OnError = (error: GatewayError, response: ErrorResponse) => ErrorResponse

const describe = (problem: Problem, context: ErrorContext): ErrorResponse => ({
  status: problem.status,
  headers: {
    "cache-control": "no-store",
    ...problem.headers,
    ...(problem.challenged === true ? { "www-authenticate": challenge(problem, context) } : {})
  },
  body: bodyOf(context.style, problem)
})

const write = ({ body, headers, status }: ErrorResponse): HttpServerResponse.HttpServerResponse =>
  jsonResponse(status, body, headers)

/** The response to a fault of the gateway itself, in the same form as other errors. */
export const internalFault = (context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  write(describe(serverError(500, "Internal server error"), context))

/** The response to a request that is still open when the gateway shuts down. */
export const shuttingDown = (context: ErrorContext): HttpServerResponse.HttpServerResponse =>
  write(describe(serverError(503, "The gateway is shutting down"), context))

/**
 * The response to a `GatewayError`, in the dialect of `MCP_ERROR_STYLE` (see `dialects.ts`).
 *
 * 401 and 403 carry a challenge; no error response may be stored.
 *
 * @see RFC 6750, section 3; RFC 9728, section 5.1; JSON-RPC 2.0, section 5.1
 *
 * @param onError changes the response, in a program that embeds the gateway
 */
export const errorResponse = (
  error: GatewayError,
  context: ErrorContext,
  onError?: OnError
): HttpServerResponse.HttpServerResponse => {
  const response = describe(problemOf(error), context)
  return write(onError === undefined ? response : onError(error, response))
}

/** A tool call that is rejected in the form of a tool result. */
export interface RejectedCall {
  readonly id: string | number
  /** Whether results have a type (MCP 2026-07-28). */
  readonly hasResultType: boolean
}

/**
 * The response to a tool call without a token or scopes, for hosts that look for the challenge in the tool's result.
 *
 * The challenge always has an error and a description: these hosts need both to ask their user to sign in.
 *
 * @see OpenAI Apps SDK, authentication: `mcp/www_authenticate`
 */
export const toolResultResponse = (
  error: TokenRequired | InsufficientScope,
  context: ErrorContext,
  { hasResultType, id }: RejectedCall,
  onError?: OnError
): HttpServerResponse.HttpServerResponse => {
  const problem = error._tag === "TokenRequired"
    ? { ...unauthorized(signInText), scope: error.required }
    : insufficientScope(error)
  const text = problem.description
  const response: ErrorResponse = {
    status: 200,
    headers: { "cache-control": "no-store" },
    body: {
      jsonrpc: "2.0",
      id,
      result: {
        ...(hasResultType ? { resultType: "complete" } : {}),
        content: [{ type: "text", text }],
        isError: true,
        _meta: { "mcp/www_authenticate": [challenge(problem, { ...context, style: "oauth" })] }
      }
    }
  }
  return write(onError === undefined ? response : onError(error, response))
}

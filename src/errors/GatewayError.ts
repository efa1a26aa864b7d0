/**
 * Every error that a request can end with, independent of HTTP.
 *
 * One closed union. Only `http/errorResponse.ts` determines the response for each case. Fields named `detail` and
 * `cause` are for the log and never reach a client.
 */
import * as Data from "effect/Data"
import type { OAuthRejected } from "./OAuthRejected.ts"

export * from "./OAuthRejected.ts"

/** The request carries no credential at all (RFC 6750, section 3.1). */
export class MissingCredential extends Data.TaggedError("MissingCredential")<{}> {}

/** The request carries no credential, and the rules do not allow it without one. */
export class TokenRequired extends Data.TaggedError("TokenRequired")<{
  /** All scopes that the request needs. */
  readonly required: ReadonlyArray<string>
  /** For the log. */
  readonly detail: string
}> {}

/** The `Authorization` field is present but contains no usable Bearer credential: another scheme, or an empty token. */
export class UnsupportedCredential extends Data.TaggedError("UnsupportedCredential")<{
  readonly detail: string
}> {}

/** Why a request is rejected regardless of its token. The client gets a fixed text for each reason. */
export type InvalidRequestReason =
  | "RepeatedCredential"
  | "CredentialInQuery"
  | "MalformedHost"
  | "MalformedTarget"
  | "UnsupportedVersion"
  | "MalformedHeader"
  | "MalformedMessage"
  | "AmbiguousMessage"
  | "MessageTooDeep"

/** The request is malformed or ambiguous (RFC 6750, section 3.1: `invalid_request`). */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly reason: InvalidRequestReason
  readonly detail: string
}> {}

/** A field that repeats a part of its request's message (MCP 2026-07-28, Streamable HTTP, request metadata). */
export type MirroredField = "MCP-Protocol-Version" | "Mcp-Method" | "Mcp-Name" | "Mcp-Param"

/** A field that should repeat the message is missing, malformed, or contradicts it (JSON-RPC error -32020). */
export class HeaderMismatch extends Data.TaggedError("HeaderMismatch")<{
  readonly field: MirroredField
  /** The id of the request; `null` if it has none. */
  readonly id: string | number | null
  readonly detail: string
}> {}

/** The message does not name its revision, although that revision requires it (JSON-RPC error -32602). */
export class MissingProtocolVersion extends Data.TaggedError("MissingProtocolVersion")<{
  /** The id of the request; `null` if it has none. */
  readonly id: string | number | null
  readonly detail: string
}> {}

/** Why a token is rejected: a closed list, with one public text for each member. */
export const invalidTokenReasons = [
  "MalformedToken",
  "UnsupportedAlgorithm",
  "UnknownKey",
  "InvalidSignature",
  "Expired",
  "NotYetValid",
  "InvalidIssuer",
  "InvalidAudience",
  "MissingClaim",
  "Inactive",
  "UnknownToken",
  "ValidationFailed"
] as const

/** One of `invalidTokenReasons`. */
export type InvalidTokenReason = typeof invalidTokenReasons[number]

/** The token is rejected (RFC 6750, section 3.1: `invalid_token`). */
export class InvalidToken extends Data.TaggedError("InvalidToken")<{
  readonly reason: InvalidTokenReason
  /** The provider that rejected it; `undefined` if no provider is responsible for the token. */
  readonly provider: string | undefined
  /** The exact reason, for the log. It never contains the token, a part of it, or key material. */
  readonly detail: string
}> {}

/** The token is longer than `MCP_MAX_TOKEN_BYTES`; it was not parsed. */
export class CredentialTooLarge extends Data.TaggedError("CredentialTooLarge")<{
  /** In bytes, as `size`. */
  readonly limit: number
  readonly size: number
}> {
  /** For the log. */
  get detail(): string {
    return `the token has ${this.size} bytes, the limit is ${this.limit}; MCP_MAX_TOKEN_BYTES raises it`
  }
}

/**
 * The token is valid, but lacks scopes: those that the resource requires, or those that its provider requires to verify
 * it (RFC 6750, section 3.1: `insufficient_scope`).
 */
export class InsufficientScope extends Data.TaggedError("InsufficientScope")<{
  /** All scopes that the request needs, not only the missing ones. */
  readonly required: ReadonlyArray<string>
  /** The provider that requires the scopes, if it is not the gateway. */
  readonly provider?: string | undefined
  /** For the log. */
  readonly detail?: string | undefined
}> {}

/**
 * The caller is not allowed to do this, regardless of its scopes: the `Origin` or the peer is not allowed, a policy
 * denies it, or its claims do not match the schema of the embedding program.
 */
export class AccessDenied extends Data.TaggedError("AccessDenied")<{
  readonly reason: "Origin" | "Peer" | "Policy" | "Claims"
  readonly detail: string
}> {}

/** A rule denies this caller the operation, regardless of its scopes. */
export class DeniedByRule extends Data.TaggedError("DeniedByRule")<{
  /** The position of the rule, from 1; `undefined` if no rule matched and the default rule denies. */
  readonly rule: number | undefined
  readonly detail: string
}> {}

/** No route has the requested path. */
export class NotFound extends Data.TaggedError("NotFound")<{}> {}

/** The session does not belong to this caller. */
export class SessionNotFound extends Data.TaggedError("SessionNotFound")<{
  readonly detail: string
}> {}

/** The route exists, but not for this method. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<{
  readonly allow: ReadonlyArray<string>
}> {}

/** The discovery document does not exist for the configured providers (static tokens, or no provider). */
export class DiscoveryNotSupported extends Data.TaggedError("DiscoveryNotSupported")<{}> {}

/** The request body is longer than `limit` bytes. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<{
  readonly limit: number
}> {}

/** The content type or encoding of the request body is not one for JSON-RPC messages. */
export class UnsupportedMediaType extends Data.TaggedError("UnsupportedMediaType")<{
  readonly detail: string
}> {}

/**
 * A provider cannot be reached or does not work, so the token can be neither accepted nor rejected. Never the caller's
 * fault.
 */
export class ProviderUnavailable extends Data.TaggedError("ProviderUnavailable")<{
  readonly provider: string
  readonly detail: string
  /** When the client may try again, in seconds. */
  readonly retryAfter: number
  /** The error behind it, for programs that embed the gateway. */
  readonly cause?: unknown
}> {}

/** The MCP server cannot be reached, closed the connection, or sent a response that must not be forwarded. */
export class UpstreamUnavailable extends Data.TaggedError("UpstreamUnavailable")<{
  readonly detail: string
  /** The error of the HTTP client, for programs that embed the gateway: it may quote what the server sent. */
  readonly cause?: unknown
}> {}

/** The MCP server did not begin its response in time. */
export class UpstreamTimeout extends Data.TaggedError("UpstreamTimeout")<{
  readonly millis: number
}> {}

/** The provider issues a token for the MCP server only after its user has acted: consented, or proved more. */
export class InteractionRequired extends Data.TaggedError("InteractionRequired")<{
  /** All the scopes to request. */
  readonly required: ReadonlyArray<string>
  /** What the user has to prove, as JSON for the authorization request (OpenID Connect Core 1.0, section 5.5). */
  readonly claims: string | undefined
  readonly detail: string
}> {}

/** The MCP server requires scopes that the caller's token lacks. */
export class UpstreamScopeRequired extends Data.TaggedError("UpstreamScopeRequired")<{
  /** All scopes to request; empty if the server names none. */
  readonly required: ReadonlyArray<string>
  readonly detail: string
}> {}

/** The gateway has no memory for the request now, because other requests use it. */
export class Overloaded extends Data.TaggedError("Overloaded")<{
  readonly detail: string
  /** When the client may try again, in seconds. */
  readonly retryAfter: number
}> {}

/** The caller, its client or its address has exceeded `MCP_RATE_LIMITS`. */
export class RateLimited extends Data.TaggedError("RateLimited")<{
  /** The id of the JSON-RPC request, if the body is a single request with an id. */
  readonly id?: string | number | null
  /** The entry of `MCP_RATE_LIMITS` that was exceeded, from 1, and what it counts; for the log. */
  readonly detail: string
  /** When the client may try again, in seconds; may be a fraction. */
  readonly retryAfter: number
}> {}

/** The store of the rate limits fails, and `MCP_STORE_FAILURE` is `closed`. */
export class StoreUnavailable extends Data.TaggedError("StoreUnavailable")<{
  readonly detail: string
  /** When the client may try again, in seconds. */
  readonly retryAfter: number
}> {}

/**
 * Why a verifier does not accept a token: it is invalid or lacks scopes, its caller is denied (`AccessDenied` with the
 * reason `Policy`, a 403), or its provider is unavailable.
 */
export type VerificationError = InvalidToken | InsufficientScope | AccessDenied | ProviderUnavailable

/** The errors of a gateway client. */
export type UpstreamError = UpstreamUnavailable | UpstreamTimeout

/** Every typed error of the gateway. A new member does not compile until `http/errorResponse.ts` has a response for it. */
export type GatewayError =
  | MissingCredential
  | TokenRequired
  | UnsupportedCredential
  | InvalidRequest
  | HeaderMismatch
  | MissingProtocolVersion
  | InvalidToken
  | CredentialTooLarge
  | InsufficientScope
  | AccessDenied
  | DeniedByRule
  | NotFound
  | SessionNotFound
  | MethodNotAllowed
  | DiscoveryNotSupported
  | PayloadTooLarge
  | UnsupportedMediaType
  | ProviderUnavailable
  | UpstreamUnavailable
  | UpstreamTimeout
  | InteractionRequired
  | UpstreamScopeRequired
  | OAuthRejected
  | Overloaded
  | RateLimited
  | StoreUnavailable

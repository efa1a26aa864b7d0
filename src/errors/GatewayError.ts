/**
 * Everything that can go wrong between a request and its answer, free of HTTP.
 *
 * One closed union; `http/errorResponse.ts` is the only place that knows what each case looks like on the wire.
 * Fields named `detail` and `cause` are for the log and never reach a client.
 */
import * as Data from "effect/Data"

/** The request carries no credential at all (RFC 6750, section 3.1). */
export class MissingCredential extends Data.TaggedError("MissingCredential")<{}> {}

/** The `Authorization` field is there but holds no usable Bearer credential: another scheme, or an empty token. */
export class UnsupportedCredential extends Data.TaggedError("UnsupportedCredential")<{
  readonly detail: string
}> {}

/** Why the request itself, apart from any token, is refused. The client sees a fixed text for each. */
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

/** Why a token is refused: the closed list, with one public text for each member. */
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

/** One of them. */
export type InvalidTokenReason = typeof invalidTokenReasons[number]

/** The credential is refused (RFC 6750, section 3.1: `invalid_token`). */
export class InvalidToken extends Data.TaggedError("InvalidToken")<{
  readonly reason: InvalidTokenReason
  /** The provider that refused it, or `undefined` when none was responsible for the token. */
  readonly provider: string | undefined
  /** The true reason, for the log. It never holds the token, a part of it, or key material. */
  readonly detail: string
}> {}

/** The token is longer than `MCP_MAX_TOKEN_BYTES`; it was not looked into. */
export class CredentialTooLarge extends Data.TaggedError("CredentialTooLarge")<{
  /** Both in bytes. */
  readonly limit: number
  readonly size: number
}> {
  /** For the log. */
  get detail(): string {
    return `the token has ${this.size} bytes, the limit is ${this.limit}; MCP_MAX_TOKEN_BYTES raises it`
  }
}

/**
 * The token is good but lacks scopes that the resource needs, or without which its provider says nothing about it
 * (RFC 6750, section 3.1: `insufficient_scope`).
 */
export class InsufficientScope extends Data.TaggedError("InsufficientScope")<{
  /** All the scopes that the request needs, not only the missing ones. */
  readonly required: ReadonlyArray<string>
  /** The provider that asks for them, where it is not the gateway. */
  readonly provider?: string | undefined
  /** For the log. */
  readonly detail?: string | undefined
}> {}

/** The caller may not do this, whatever its scopes are: the `Origin` is not allowed, or a policy of a verifier denies it. */
export class AccessDenied extends Data.TaggedError("AccessDenied")<{
  readonly reason: "Origin" | "Policy"
  readonly detail: string
}> {}

/** No route has this path. */
export class NotFound extends Data.TaggedError("NotFound")<{}> {}

/** The caller was not given the session that it names. */
export class SessionNotFound extends Data.TaggedError("SessionNotFound")<{
  readonly detail: string
}> {}

/** The route exists but not for this method. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<{
  readonly allow: ReadonlyArray<string>
}> {}

/** A discovery document that the configured providers cannot have (static tokens, no provider). */
export class DiscoveryNotSupported extends Data.TaggedError("DiscoveryNotSupported")<{}> {}

/** The request body is longer than `limit` bytes. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<{
  readonly limit: number
}> {}

/** The request body is of a type or in an encoding that cannot be a JSON-RPC message. */
export class UnsupportedMediaType extends Data.TaggedError("UnsupportedMediaType")<{
  readonly detail: string
}> {}

/** A provider cannot be reached or does not work now, so nobody can say whether the token is good. Never the caller's fault. */
export class ProviderUnavailable extends Data.TaggedError("ProviderUnavailable")<{
  readonly provider: string
  readonly detail: string
  /** When asking again makes sense, in seconds. */
  readonly retryAfter: number
  /** The error behind it, for programs that embed the gateway. */
  readonly cause?: unknown
}> {}

/** The MCP server cannot be reached, broke off, or sent a response that must not be passed on. */
export class UpstreamUnavailable extends Data.TaggedError("UpstreamUnavailable")<{
  readonly detail: string
  /** The error of the HTTP client, for programs that embed the gateway: it may quote what the server sent. */
  readonly cause?: unknown
}> {}

/** The MCP server behind did not begin its answer in time. */
export class UpstreamTimeout extends Data.TaggedError("UpstreamTimeout")<{
  readonly millis: number
}> {}

/** The MCP server behind needs more scopes of this caller than its token has. */
export class UpstreamScopeRequired extends Data.TaggedError("UpstreamScopeRequired")<{
  /** All the scopes to ask for; empty where the server does not say. */
  readonly required: ReadonlyArray<string>
  readonly detail: string
}> {}

/** There is no memory for the request now: others, or the caller itself, hold their share of it. */
export class Overloaded extends Data.TaggedError("Overloaded")<{
  readonly detail: string
  /** When asking again makes sense, in seconds. */
  readonly retryAfter: number
}> {}

/**
 * Why a verifier does not accept a token: it is invalid, lacks scopes, its caller is barred (`AccessDenied` with the
 * reason `Policy`, a 403), or its provider is unavailable.
 */
export type VerificationError = InvalidToken | InsufficientScope | AccessDenied | ProviderUnavailable

/** What a gateway client may fail with. */
export type UpstreamError = UpstreamUnavailable | UpstreamTimeout

/** Every typed error of the gateway. A new member does not compile until `http/errorResponse.ts` answers it. */
export type GatewayError =
  | MissingCredential
  | UnsupportedCredential
  | InvalidRequest
  | InvalidToken
  | CredentialTooLarge
  | InsufficientScope
  | AccessDenied
  | NotFound
  | SessionNotFound
  | MethodNotAllowed
  | DiscoveryNotSupported
  | PayloadTooLarge
  | UnsupportedMediaType
  | ProviderUnavailable
  | UpstreamUnavailable
  | UpstreamTimeout
  | UpstreamScopeRequired
  | Overloaded

/** The error of the gateway as an authorization server (`facade`). */
import * as Data from "effect/Data"

/**
 * Why the gateway, as an authorization server, rejects a request of an OAuth client or of its user. Each reason has one
 * public text.
 */
export const oauthRejections = [
  "RepeatedParameter",
  "MissingParameter",
  "MalformedRequest",
  "UnknownClient",
  "ClientCredentials",
  "RedirectUri",
  "ResponseType",
  "Pkce",
  "Resource",
  "Scope",
  "LoginRequired",
  "State",
  "CrossSite",
  "Denied",
  "Provider",
  "MixUp",
  "Code",
  "Verifier",
  "RefreshToken",
  "Assertion",
  "NoAssertions",
  "GrantType",
  "ClientMetadata"
] as const

/** One of `oauthRejections`. */
export type OAuthRejection = typeof oauthRejections[number]

/** The error codes of RFC 6749, sections 4.1.2.1 and 5.2, RFC 7591, section 3.2.2, RFC 8707, section 2, and OpenID Connect. */
export type OAuthErrorCode =
  | "access_denied"
  | "consent_required"
  | "interaction_required"
  | "invalid_client"
  | "invalid_client_metadata"
  | "invalid_grant"
  | "invalid_redirect_uri"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_target"
  | "login_required"
  | "server_error"
  | "temporarily_unavailable"
  | "unsupported_grant_type"
  | "unsupported_response_type"

/** The gateway, as an authorization server, rejects a request of an OAuth client or of its user. */
export class OAuthRejected extends Data.TaggedError("OAuthRejected")<{
  readonly error: OAuthErrorCode
  readonly reason: OAuthRejection
  /** For the log. Contains no code or token, nor a part of one. */
  readonly detail: string
}> {}

/** Rejected callers as errors of an API of Effect: their texts are those of the gateway's own responses. */
import * as Schema from "effect/Schema"
import type { GatewayError } from "../errors/GatewayError.ts"
import { problemOf } from "../http/errorResponse.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"

const fields = {
  /** As in RFC 6750, section 3.1, or `unauthorized` for a request without a token. */
  error: Schema.String,
  error_description: Schema.String
}

/** The request has no token, or one that is not accepted: 401. */
export class Unauthorized extends Schema.Error<Unauthorized>("mcp-authorizer/Unauthorized")({
  _tag: Schema.tag("Unauthorized"),
  ...fields
}, { description: "No token, or one that is not accepted", httpApiStatus: 401 }) {}

/**
 * The caller is known, but is not allowed to do this: 403. `insufficient_scope` names the scopes that would suffice.
 */
export class Forbidden extends Schema.Error<Forbidden>("mcp-authorizer/Forbidden")({
  _tag: Schema.tag("Forbidden"),
  ...fields,
  /** The scopes that the caller needs, if another token would help. */
  scopes: Schema.optionalKey(Schema.Array(Schema.String))
}, { description: "A caller that may not do this", httpApiStatus: 403 }) {}

/** The token cannot be verified now, which is not the caller's fault: 500. */
export class CannotVerify extends Schema.Error<CannotVerify>("mcp-authorizer/CannotVerify")({
  _tag: Schema.tag("CannotVerify"),
  ...fields,
  /** When to try again, in seconds. */
  retryAfter: Schema.Finite
}, { description: "The token cannot be verified now", httpApiStatus: 500 }) {}

/** Any of these errors. */
export type AuthError = Unauthorized | Forbidden | CannotVerify

/** Converts an error of the gateway; `undefined` if it is not about the caller. */
export const authErrorOf = (error: GatewayError): AuthError | undefined => {
  const { description, error: code, scope, status } = problemOf(error)
  const texts = { error: code, error_description: description }
  if (error._tag === "ProviderUnavailable") {
    return new CannotVerify({
      ...texts,
      // A custom verifier may return any text.
      retryAfter: Number.isFinite(error.retryAfter) ? error.retryAfter : retryAfterSeconds
    })
  }
  if (status === 401) return new Unauthorized(texts)
  return status === 403 ? new Forbidden(scope === undefined ? texts : { ...texts, scopes: scope }) : undefined
}

/** The redirect URI of the gateway's own client, to which the provider sends users back. */
import * as Effect from "effect/Effect"
import { type GatewayError, type OAuthErrorCode, OAuthRejected, type OAuthRejection } from "../errors/GatewayError.ts"
import { isSameIssuer } from "../remote/issuerUrl.ts"
import { errorRedirect } from "./authorize.ts"
import { browserSecret } from "./browser.ts"
import type { FacadeRequest, FacadeResponse } from "./FacadeRequest.ts"
import { type Parameters, parseQuery, withParameters } from "./parameters.ts"
import type { FacadeParts } from "./parts.ts"
import { texts } from "./sealedValues.ts"

const maxCode = 4_096

/**
 * Errors of the provider that are forwarded to clients. All others are faults of the provider, or of the gateway's
 * settings.
 */
const knownErrors: ReadonlyMap<string, readonly [OAuthErrorCode, OAuthRejection]> = new Map([
  ["access_denied", ["access_denied", "Denied"]],
  ["consent_required", ["consent_required", "LoginRequired"]],
  ["interaction_required", ["interaction_required", "LoginRequired"]],
  ["login_required", ["login_required", "LoginRequired"]],
  ["invalid_scope", ["invalid_scope", "Scope"]],
  ["temporarily_unavailable", ["temporarily_unavailable", "Provider"]]
])

const plainWord = /^[a-z_]{1,40}$/

const providerError = (error: string): OAuthRejected => {
  const known = knownErrors.get(error)
  return known === undefined
    ? new OAuthRejected({
      error: "server_error",
      reason: "Provider",
      detail: `the provider rejected the authorization request${
        plainWord.test(error) ? ` with ${error}` : ""
      }: check client_id, the callback URL and the scopes`
    })
    : new OAuthRejected({ error: known[0], reason: known[1], detail: `the provider returned ${known[0]}` })
}

/** Returns an error if the response is not from the provider that was requested (RFC 9207, section 2.4). */
const mixUp = Effect.fnUntraced(function*({ endpoints }: FacadeParts, iss: string | undefined) {
  const { issuers, namesIssuer } = yield* endpoints
  if (iss === undefined ? !namesIssuer : issuers.some((issuer) => isSameIssuer(issuer, iss))) return undefined
  return new OAuthRejected({
    error: "server_error",
    reason: "MixUp",
    detail: iss === undefined ? "the provider's response has no iss" : "iss names another issuer than the provider"
  })
})

/** Returns the error in the provider's response; `undefined` if the response has a usable code. */
const errorOf = Effect.fnUntraced(function*(parts: FacadeParts, parameters: Parameters) {
  const wrong = yield* mixUp(parts, parameters.get("iss"))
  if (wrong !== undefined) return wrong
  const error = parameters.get("error")
  if (error !== undefined) return providerError(error)
  const { length } = parameters.get("code") ?? ""
  return length > 0 && length <= maxCode ? undefined : new OAuthRejected({
    error: "server_error",
    reason: "Provider",
    detail: "the provider's response has neither a code nor an error"
  })
})

/**
 * `GET /oauth/callback`: issues a code to the client. The provider's code is sealed into it, together with the client's
 * challenge, redirect URI and id.
 *
 * Redirects only if the sealed state is valid and the request has the cookie of the browser that the state was sealed
 * for.
 */
export const callback = Effect.fnUntraced(function*(
  parts: FacadeParts,
  { cookie, query }: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const parameters = yield* Effect.fromResult(parseQuery(query))
  const sealed = parameters.get("state")
  const browser = browserSecret(parts.settings, cookie)
  const asked = sealed === undefined || browser === undefined
    ? undefined
    : texts(yield* parts.sealer.open("state", [browser], sealed), 5)
  if (asked === undefined) {
    return yield* new OAuthRejected({
      error: "invalid_request",
      reason: "State",
      detail: browser === undefined
        ? "the callback came without the cookie of a sign-in"
        : "the state was not sealed for this browser, or is too old"
    })
  }
  const [clientId = "", redirectUri = "", state = "", challenge = "", verifier = ""] = asked
  const error = yield* errorOf(parts, parameters)
  if (error !== undefined) {
    return { _tag: "Redirect", location: errorRedirect(parts, { redirectUri, state }, error), error }
  }
  const code = parameters.get("code") ?? ""
  const sealedCode = yield* parts.sealer.seal("code", [clientId], [redirectUri, challenge, verifier, code])
  return {
    _tag: "Redirect",
    location: withParameters(redirectUri, [
      ["code", sealedCode],
      ["state", state === "" ? undefined : state],
      ["iss", parts.issuer]
    ])
  }
})

/** Dynamic client registration (RFC 7591): every client gets the same client id. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isAllowedRedirect } from "../config/kinds/redirectUris.ts"
import { type GatewayError, NotFound, OAuthRejected } from "../errors/GatewayError.ts"
import { own, parseJsonObject } from "../remote/JsonObject.ts"
import { shownRedirect } from "./clients.ts"
import type { FacadeRequest, FacadeResponse } from "./FacadeRequest.ts"
import { bodyText } from "./parameters.ts"
import type { FacadeParts } from "./parts.ts"
import { isStrings } from "./sealedValues.ts"

const maxRedirectUris = 32

const grantTypes = ["authorization_code", "refresh_token"]

const invalid = (detail: string) =>
  new OAuthRejected({ error: "invalid_client_metadata", reason: "ClientMetadata", detail })

/**
 * `POST /register`: checks the redirect URIs, and responds with the client of the facade.
 *
 * Nothing is stored, so the redirect URIs are checked again at each authorization. The client's name is neither kept
 * nor repeated, because all registered clients share one id.
 */
export const register = Effect.fnUntraced(function*(
  { provider: { facade } }: FacadeParts,
  { body, contentType }: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  if (!facade.registration) return yield* new NotFound()
  if (!/^application\/json\s*(?:;|$)/i.test(contentType ?? "")) {
    return yield* invalid("the content type is not application/json")
  }
  const metadata = yield* Effect.mapError(
    Effect.fromResult(parseJsonObject(yield* Effect.fromResult(bodyText(body)))),
    (problem) => invalid(`the body is not usable: ${problem}`)
  )
  const redirectUris = own(metadata, "redirect_uris")
  if (!isStrings(redirectUris) || redirectUris.length === 0 || redirectUris.length > maxRedirectUris) {
    return yield* new OAuthRejected({
      error: "invalid_redirect_uri",
      reason: "RedirectUri",
      detail: `redirect_uris is not a list of 1 to ${maxRedirectUris} strings`
    })
  }
  const other = redirectUris.find((uri) => !isAllowedRedirect(facade.redirectUris, uri))
  if (other !== undefined) {
    return yield* new OAuthRejected({
      error: "invalid_redirect_uri",
      reason: "RedirectUri",
      detail: `${shownRedirect(other)} is not among redirect_uris of the facade`
    })
  }
  const wanted = own(metadata, "grant_types")
  if (wanted !== undefined && (!isStrings(wanted) || !wanted.includes("authorization_code"))) {
    return yield* invalid("grant_types does not include authorization_code")
  }
  const responseTypes = own(metadata, "response_types")
  if (responseTypes !== undefined && (!isStrings(responseTypes) || !responseTypes.includes("code"))) {
    return yield* invalid("response_types does not include code")
  }
  return {
    _tag: "Json",
    created: true,
    body: {
      client_id: facade.clientId,
      client_id_issued_at: Math.floor((yield* Clock.currentTimeMillis) / 1000),
      redirect_uris: [...redirectUris],
      grant_types: grantTypes,
      response_types: ["code"],
      token_endpoint_auth_method: "none"
    }
  }
})

/** The token endpoint (RFC 6749, section 3.2) and the revocation endpoint (RFC 7009). */
import * as Effect from "effect/Effect"
import { type GatewayError, OAuthRejected } from "../errors/GatewayError.ts"
import type { Json } from "../identity/Json.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import type { ProviderRequest } from "../remote/ProviderHttp.ts"
import { unavailable } from "../verify/unavailable.ts"
import { assertionGrant } from "./assertionNames.ts"
import { isPossibleClient } from "./clients.ts"
import type { FacadeRequest, FacadeResponse } from "./FacadeRequest.ts"
import { type Parameters, parseForm, required } from "./parameters.ts"
import { type FacadeParts, requireResource, resourceForProvider } from "./parts.ts"
import { facadeUrl } from "./places.ts"
import { hiddenField } from "./relay.ts"
import { scopesForProvider } from "./scopes.ts"
import { texts } from "./sealedValues.ts"

const invalidGrant =
  (reason: "Code" | "RefreshToken" | "RedirectUri" | "Verifier") => (detail: string): OAuthRejected =>
    new OAuthRejected({ error: "invalid_grant", reason, detail })

/** RFC 7636, section 4.1. */
const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/

const maxToken = 8_192

/** Reads the form of the request, and the client that sent it. Clients are public: they have no secret to check. */
const readForm = Effect.fnUntraced(function*({ authorization, body, contentType }: FacadeRequest) {
  const parameters = yield* Effect.fromResult(parseForm(contentType, body))
  if (authorization !== undefined || parameters.has("client_secret") || parameters.has("client_assertion")) {
    return yield* new OAuthRejected({
      error: "invalid_client",
      reason: "ClientCredentials",
      detail: "the client sent credentials, but is registered without any (token_endpoint_auth_method none)"
    })
  }
  return { parameters, clientId: yield* Effect.fromResult(required(parameters, "client_id")) }
})

/** The part of the provider's response that clients get. Without the ID token, which has another audience. */
const tokenResponse = Effect.fnUntraced(function*(
  { provider: { name }, sealer }: FacadeParts,
  clientId: string,
  body: JsonObject
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const accessToken = own(body, "access_token")
  const tokenType = own(body, "token_type")
  if (typeof accessToken !== "string" || accessToken === "") {
    return yield* unavailable(name, "the token response of the provider has no access token")
  }
  if (typeof tokenType !== "string" || tokenType.toLowerCase() !== "bearer") {
    return yield* unavailable(name, "the token response of the provider has no bearer token")
  }
  const [expiresIn, scope, refreshToken] = [own(body, "expires_in"), own(body, "scope"), own(body, "refresh_token")]
  const seconds = typeof expiresIn === "string" ? Number(expiresIn) : expiresIn
  const response: { [member: string]: Json } = { access_token: accessToken, token_type: "Bearer" }
  if (typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0) {
    response["expires_in"] = Math.floor(seconds)
  }
  if (typeof refreshToken === "string" && refreshToken !== "" && refreshToken.length <= maxToken) {
    response["refresh_token"] = yield* sealer.seal("refresh", [clientId], [refreshToken])
  }
  // RFC 6749, section 3.3: scopes are separated by spaces; GitHub writes commas.
  if (typeof scope === "string" && scope !== "") response["scope"] = scope.replace(/[ ,]+/g, " ")
  return { _tag: "Json", body: response }
})

/**
 * Opens a value that was sealed for a client; `undefined` if it was not, or if the settings no longer allow that
 * client.
 */
const openFor = (
  { provider, sealer }: FacadeParts,
  purpose: "code" | "refresh",
  clientId: string,
  sealed: string,
  count: number
) =>
  isPossibleClient(provider, clientId)
    ? Effect.map(sealer.open(purpose, [clientId], sealed), (opened) => texts(opened, count))
    : Effect.succeed(undefined)

type Form = Required<ProviderRequest>["form"]

const resourceField = (parts: FacadeParts): Form => {
  const resource = resourceForProvider(parts)
  return resource === undefined ? [] : [["resource", resource]]
}

/** RFC 6749, section 4.1.3, with RFC 7636, section 4.6. Everything is checked before the provider gets its code. */
const codeGrant = Effect.fnUntraced(function*(
  parts: FacadeParts,
  clientId: string,
  parameters: Parameters,
  peer: string
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const code = yield* Effect.fromResult(required(parameters, "code"))
  const redirectUri = yield* Effect.fromResult(required(parameters, "redirect_uri"))
  const verifier = yield* Effect.fromResult(required(parameters, "code_verifier"))
  const opened = yield* openFor(parts, "code", clientId, code, 4)
  if (opened === undefined) {
    return yield* invalidGrant("Code")("the code is not one that this client was given, or is too old")
  }
  const [boundUri = "", challenge = "", ownVerifier = "", providerCode = ""] = opened
  if (redirectUri !== boundUri) return yield* invalidGrant("RedirectUri")("the redirect URI is not that of the code")
  if (!verifierForm.test(verifier) || (yield* parts.challengeOf(verifier)) !== challenge) {
    return yield* invalidGrant("Verifier")("the code verifier does not match the challenge of the code")
  }
  const body = yield* parts.relay.token(peer, yield* parts.endpoints, [
    ["grant_type", "authorization_code"],
    hiddenField("code", providerCode),
    ["redirect_uri", facadeUrl(parts.settings, "callback")],
    ...(ownVerifier === "" ? [] : [hiddenField("code_verifier", ownVerifier)]),
    ...resourceField(parts),
    ...parts.tokenParameters
  ], invalidGrant("Code"))
  return yield* tokenResponse(parts, clientId, body)
})

/** RFC 6749, section 6. */
const refreshGrant = Effect.fnUntraced(function*(
  parts: FacadeParts,
  clientId: string,
  parameters: Parameters,
  peer: string
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const sealed = yield* Effect.fromResult(required(parameters, "refresh_token"))
  const [refreshToken] = (yield* openFor(parts, "refresh", clientId, sealed, 1)) ?? []
  if (refreshToken === undefined) {
    return yield* invalidGrant("RefreshToken")("the refresh token is not one that this client was given")
  }
  const scope = parameters.get("scope")
  // The operator's scopes are not added: a refresh may name only granted scopes, and the provider may have granted
  // fewer than requested.
  const scopes = scope === undefined ? [] : scopesForProvider(parts.scopes, [], scope)
  const body = yield* parts.relay.token(peer, yield* parts.endpoints, [
    ["grant_type", "refresh_token"],
    hiddenField("refresh_token", refreshToken),
    ...(scopes.length === 0 ? [] : [["scope", scopes.join(" ")] as const]),
    ...resourceField(parts),
    ...parts.tokenParameters
  ], invalidGrant("RefreshToken"))
  return yield* tokenResponse(parts, clientId, body)
})

const assertionRejected = (detail: string) => new OAuthRejected({ error: "invalid_grant", reason: "Assertion", detail })

const audienceAdvice = "aud is the issuer of the facade, which the provider has to know as a name of its own"

/**
 * RFC 7523, section 2.1, for identity assertions: checked here, and exchanged by the provider. There is no refresh
 * token: the client gets another assertion instead (draft-ietf-oauth-identity-assertion-authz-grant, section 5).
 */
const assertionGrantOf = Effect.fnUntraced(function*(
  parts: FacadeParts,
  clientId: string,
  parameters: Parameters,
  peer: string
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const { checkAssertion } = parts
  if (checkAssertion === undefined) {
    return yield* new OAuthRejected({
      error: "unsupported_grant_type",
      reason: "NoAssertions",
      detail:
        "the client presents an identity assertion, and assertions of the facade is not true for a provider with keys"
    })
  }
  const assertion = yield* Effect.fromResult(required(parameters, "assertion"))
  if (clientId !== parts.provider.facade.clientId) {
    yield* parts.findClient(clientId, peer)
    return yield* assertionRejected("the provider knows the client of the facade alone, and not one with a document")
  }
  const endpoints = yield* parts.endpoints
  const audience = yield* checkAssertion(assertion, endpoints)
  const scopes = scopesForProvider(parts.scopes, parts.provider.facade.scopes, parameters.get("scope"))
    .filter((scope) => scope !== "offline_access")
  const { refresh_token: _, ...body } = yield* parts.relay.token(peer, endpoints, [
    ["grant_type", assertionGrant],
    hiddenField("assertion", assertion),
    ...(scopes.length === 0 ? [] : [["scope", scopes.join(" ")] as const]),
    ...resourceField(parts),
    ...parts.tokenParameters
  ], (detail) => assertionRejected(audience === "Provider" ? detail : `${detail}; ${audienceAdvice}`))
  return yield* tokenResponse(parts, clientId, body)
})

/** `POST /token`: forwards grants to the provider, authenticated as the gateway's own client. */
export const token = Effect.fnUntraced(function*(
  parts: FacadeParts,
  request: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const { clientId, parameters } = yield* readForm(request)
  const grantType = yield* Effect.fromResult(required(parameters, "grant_type"))
  yield* requireResource(parts, parameters.get("resource"))
  switch (grantType) {
    case "authorization_code":
      return yield* codeGrant(parts, clientId, parameters, request.peer)
    case "refresh_token":
      return yield* refreshGrant(parts, clientId, parameters, request.peer)
    case assertionGrant:
      return yield* assertionGrantOf(parts, clientId, parameters, request.peer)
    default:
      return yield* new OAuthRejected({
        error: "unsupported_grant_type",
        reason: "GrantType",
        detail: "the grant type is neither authorization_code nor refresh_token"
      })
  }
})

/**
 * `POST /revoke`: forwards the revocation. A refresh token must have been issued to this client; everything else is
 * sent as an access token. The response does not reveal the kind of token (RFC 7009, section 2.2).
 */
export const revoke = Effect.fnUntraced(function*(
  parts: FacadeParts,
  request: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const { clientId, parameters } = yield* readForm(request)
  const presented = yield* Effect.fromResult(required(parameters, "token"))
  const [refreshToken] = (yield* openFor(parts, "refresh", clientId, presented, 1)) ?? []
  if (presented.length <= maxToken) {
    yield* parts.relay.revoke(request.peer, yield* parts.endpoints, [
      hiddenField("token", refreshToken ?? presented),
      ["token_type_hint", refreshToken === undefined ? "access_token" : "refresh_token"]
    ])
  }
  return { _tag: "Done" }
})

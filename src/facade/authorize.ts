/** The authorization endpoint (RFC 6749, section 3.1), and the consent of the user. */
import * as Effect from "effect/Effect"
import { isLocalRedirect } from "../config/kinds/redirectUris.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { OAuthRejected } from "../errors/GatewayError.ts"
import { browserSecret, setCookie } from "./browser.ts"
import { type FacadeClient, isTrusted, mayRedirectErrors, requireRedirect } from "./clients.ts"
import type { FacadeRequest, FacadeResponse } from "./FacadeRequest.ts"
import { consentPage, onwardPage } from "./pages.ts"
import { type Parameters, parseForm, parseQuery, required, withParameters } from "./parameters.ts"
import { type FacadeParts, requireResource, resourceForProvider } from "./parts.ts"
import { facadeUrl } from "./places.ts"
import { scopesForProvider } from "./scopes.ts"
import { isStrings, texts } from "./sealedValues.ts"

/** In characters. Longer states of clients are rejected, because they become part of the URL at the provider. */
const maxState = 2_048

/** An authorization request that has passed all checks. */
interface Wanted {
  readonly clientId: string
  readonly redirectUri: string
  /** The client's own state; empty if it sent none. */
  readonly state: string
  readonly challenge: string
  /** The scopes, by the names that the provider has for them. */
  readonly scopes: ReadonlyArray<string>
}

const s256 = /^[A-Za-z0-9_-]{43}$/

const rejected = (
  error: ConstructorParameters<typeof OAuthRejected>[0]["error"],
  reason: ConstructorParameters<typeof OAuthRejected>[0]["reason"],
  detail: string
) => Effect.fail(new OAuthRejected({ error, reason, detail }))

/** Sends the user back to the client with an error (RFC 6749, section 4.1.2.1; RFC 9207, section 2). */
export const errorRedirect = (
  { issuer }: FacadeParts,
  { redirectUri, state }: Pick<Wanted, "redirectUri" | "state">,
  error: OAuthRejected
): string =>
  withParameters(redirectUri, [
    ["error", error.error],
    ["state", state === "" ? undefined : state],
    ["iss", issuer]
  ])

/** Checks a request whose client and redirect URI have been verified. */
const check = Effect.fnUntraced(
  function*(parts: FacadeParts, parameters: Parameters, base: Pick<Wanted, "clientId" | "redirectUri" | "state">) {
    if (base.state.length > maxState) {
      return yield* rejected("invalid_request", "MalformedRequest", "the state is too long")
    }
    const responseType = yield* Effect.fromResult(required(parameters, "response_type"))
    if (responseType !== "code") {
      return yield* rejected("unsupported_response_type", "ResponseType", "the response type is not code")
    }
    if (
      (parameters.get("response_mode") ?? "query") !== "query" || parameters.has("request") ||
      parameters.has("request_uri")
    ) {
      return yield* rejected(
        "invalid_request",
        "MalformedRequest",
        "response_mode, request and request_uri are not supported"
      )
    }
    const challenge = parameters.get("code_challenge")
    // RFC 7636, section 4.3: without a method, `plain` would apply.
    if (challenge === undefined || parameters.get("code_challenge_method") !== "S256" || !s256.test(challenge)) {
      return yield* rejected("invalid_request", "Pkce", "there is no S256 code challenge")
    }
    yield* requireResource(parts, parameters.get("resource"))
    if (parameters.get("prompt") === "none") {
      return yield* rejected("login_required", "LoginRequired", "the client wants no page to be shown (prompt=none)")
    }
    const scopes = scopesForProvider(parts.scopes, parts.provider.facade.scopes, parameters.get("scope"))
    return { ...base, challenge, scopes } satisfies Wanted
  }
)

/** Builds the URL at the provider that the user is sent to, with the client's request sealed into `state`. */
const providerLocation = Effect.fnUntraced(function*(parts: FacadeParts, browser: string, wanted: Wanted) {
  const { facade } = parts.provider
  const endpoints = yield* parts.endpoints
  const verifier = facade.pkce ? yield* parts.randomText : ""
  const { challenge, clientId, redirectUri, state } = wanted
  const sealed = yield* parts.sealer.seal("state", [browser], [clientId, redirectUri, state, challenge, verifier])
  return withParameters(endpoints.authorize, [
    ["response_type", "code"],
    ["client_id", facade.clientId],
    ["redirect_uri", facadeUrl(parts.settings, "callback")],
    ["scope", wanted.scopes.length === 0 ? undefined : wanted.scopes.join(" ")],
    ["state", sealed],
    ["code_challenge", facade.pkce ? yield* parts.challengeOf(verifier) : undefined],
    ["code_challenge_method", facade.pkce ? "S256" : undefined],
    ["resource", resourceForProvider(parts)],
    ...parts.authorizeParameters
  ])
})

const hostOf = (redirectUri: string): string | undefined =>
  isLocalRedirect(redirectUri) ? undefined : new URL(redirectUri).host

/** Shows the consent page, or sends the user of a trusted client directly to the provider. */
const proceed = Effect.fnUntraced(function*(
  parts: FacadeParts,
  { cookie, language }: FacadeRequest,
  client: FacadeClient,
  wanted: Wanted
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const { provider, sealer, settings } = parts
  // A browser has one secret for all of its sign-ins, so that several can be in progress.
  const browser = browserSecret(settings, cookie) ?? (yield* parts.randomText)
  const cookieField = { setCookie: setCookie(settings, browser) }
  const { challenge, clientId, redirectUri, scopes, state } = wanted
  if (isTrusted(provider, client, redirectUri)) {
    return { _tag: "Redirect", location: yield* providerLocation(parts, browser, wanted), ...cookieField }
  }
  const sealed = yield* sealer.seal("consent", [browser], [clientId, redirectUri, state, challenge, [...scopes]])
  return {
    _tag: "Page",
    html: consentPage(language, {
      action: facadeUrl(settings, "consent"),
      sealed,
      resource: parts.resource,
      host: hostOf(redirectUri),
      redirectUri,
      client: client.document && { id: clientId, name: client.document.name },
      scopes
    }),
    ...cookieField
  }
})

/**
 * `GET /authorize`: checks the request of a client, asks its user for consent unless the operator trusts the client,
 * and redirects to the provider.
 *
 * Until the redirect URI is verified to be the client's, errors are shown on a page of the gateway and never sent to
 * it.
 */
export const authorize = Effect.fnUntraced(function*(
  parts: FacadeParts,
  request: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  const parameters = yield* Effect.fromResult(parseQuery(request.query))
  const clientId = yield* Effect.fromResult(required(parameters, "client_id"))
  const redirectUri = yield* Effect.fromResult(required(parameters, "redirect_uri"))
  const client = yield* parts.findClient(clientId, request.peer)
  yield* requireRedirect(client, redirectUri)
  const base = { clientId, redirectUri, state: parameters.get("state") ?? "" }
  const wanted = yield* Effect.result(check(parts, parameters, base))
  if (wanted._tag === "Success") return yield* proceed(parts, request, client, wanted.success)
  const error = wanted.failure
  return mayRedirectErrors(parts.provider, client, redirectUri) && base.state.length <= maxState
    ? { _tag: "Redirect", location: errorRedirect(parts, base, error), error }
    : yield* error
})

/** `POST /authorize/consent`: the user's decision. Only the browser that got the consent page can send it. */
export const consent = Effect.fnUntraced(function*(
  parts: FacadeParts,
  { body, contentType, cookie, isCrossSite, language, peer }: FacadeRequest
): Effect.fn.Return<FacadeResponse, GatewayError> {
  if (isCrossSite) return yield* rejected("access_denied", "CrossSite", "the consent form was sent by another site")
  const parameters = yield* Effect.fromResult(parseForm(contentType, body))
  const sealed = yield* Effect.fromResult(required(parameters, "request"))
  const decision = yield* Effect.fromResult(required(parameters, "decision"))
  const browser = browserSecret(parts.settings, cookie)
  const opened = browser === undefined ? undefined : yield* parts.sealer.open("consent", [browser], sealed)
  const asked = opened && texts(opened.slice(0, 4), 4)
  const scopes = opened?.[4]
  if (browser === undefined || asked === undefined || !isStrings(scopes)) {
    return yield* rejected("invalid_request", "State", "the consent form is not of this browser, or too old")
  }
  const [clientId = "", redirectUri = "", state = "", challenge = ""] = asked
  if (decision !== "allow") {
    const error = new OAuthRejected({ error: "access_denied", reason: "Denied", detail: "the user did not consent" })
    return { _tag: "Page", html: onwardPage(language, errorRedirect(parts, { redirectUri, state }, error)), error }
  }
  // Checked again, because the client's document or the settings may have changed since.
  yield* requireRedirect(yield* parts.findClient(clientId, peer), redirectUri)
  const location = yield* providerLocation(parts, browser, { clientId, redirectUri, state, challenge, scopes })
  return { _tag: "Page", html: onwardPage(language, location) }
})

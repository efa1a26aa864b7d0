/** The facade's endpoints over HTTP: what the facade gets from a request, and its responses. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type GatewayError, PayloadTooLarge } from "../errors/GatewayError.ts"
import type { FacadeRequest, FacadeResponse } from "../facade/FacadeRequest.ts"
import { errorPage } from "../facade/pages.ts"
import type { FacadeEndpoint } from "../facade/places.ts"
import { type Language, pageTexts, preferredLanguage, rejectionTexts } from "../facade/texts.ts"
import type { OwnResponses } from "./course/ownResponses.ts"
import type { Facade, ReadBody, Respond } from "./course/steps.ts"
import type { Exchange } from "./Exchange.ts"
import { jsonResponse } from "./jsonResponse.ts"
import { requesterOf } from "./requester.ts"

/** In bytes. Bodies are forms and client metadata. */
const maxBody = 32_768

const noBody = new Uint8Array()

/** Endpoints that users see in their browser. */
const forPeople: ReadonlySet<FacadeEndpoint> = new Set<FacadeEndpoint>(["authorize", "consent", "callback"])

/** The SHA-256 digest of `pageStyle`, which a test recomputes. */
export const styleDigest = "dSx+jvKwMnMUxp58GPbAQximmhWNVbo8xVytAjDaYTs="

/** The content security policy of a page: its own style, and forms that are sent to this gateway. */
const policy =
  `default-src 'none'; style-src 'sha256-${styleDigest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`

/** No response of the facade may be stored, be framed, or reveal its URL to another site. */
const guarded = {
  "cache-control": "no-store",
  pragma: "no-cache",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const withCookie = (setCookie: string | undefined): Readonly<Record<string, string>> =>
  setCookie === undefined ? {} : { "set-cookie": setCookie }

const pageResponse = (
  status: number,
  html: string,
  headers: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(html, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: {
      ...headers,
      ...guarded,
      // With `no-referrer`, the browser would send `Origin: null` with the form of the page.
      "referrer-policy": "same-origin",
      "content-security-policy": policy,
      "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "DENY"
    }
  })

const toHttp = (response: FacadeResponse): HttpServerResponse.HttpServerResponse => {
  switch (response._tag) {
    case "Json":
      return jsonResponse(response.created === true ? 201 : 200, response.body, guarded)
    case "Done":
      return jsonResponse(200, {}, guarded)
    case "Page":
      return pageResponse(200, response.html, withCookie(response.setCookie))
    case "Redirect":
      return HttpServerResponse.empty({
        status: 302,
        headers: { ...guarded, ...withCookie(response.setCookie), location: response.location }
      })
  }
}

const isCrossSite = (
  { publicUrl }: Pick<GatewaySettings, "publicUrl">,
  { origin, request: { headers } }: Exchange
): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined && site !== "same-origin" && site !== "none") return true
  return origin !== undefined && publicUrl !== undefined && origin !== new URL(publicUrl).origin
}

const described = (error: GatewayError, language: Language): string =>
  error._tag === "OAuthRejected" ? rejectionTexts[error.reason][language] : pageTexts.unavailable[language]

/** Builds the step for a request to an endpoint. Reads the body first, if the endpoint takes one. */
export const facadeStep = (
  endpoint: FacadeEndpoint,
  exchange: Exchange,
  { reject, rejectPage, respond }: OwnResponses,
  settings: GatewaySettings
): Facade | ReadBody<never> => {
  const { headers, method } = exchange.request
  const language = preferredLanguage(headers["accept-language"])
  const requester = requesterOf(settings.trustedProxies, exchange.request, exchange.trustedPeer)

  const rejected = (error: GatewayError): Respond =>
    forPeople.has(endpoint)
      ? rejectPage(
        exchange,
        error,
        (status) => pageResponse(status, errorPage(language, described(error, language)), {})
      )
      : reject(exchange, error)

  const facade = (body: Uint8Array): Facade => {
    const request: FacadeRequest = {
      endpoint,
      query: exchange.route?.query ?? "",
      body,
      contentType: headers["content-type"],
      authorization: headers["authorization"],
      cookie: headers["cookie"],
      isCrossSite: isCrossSite(settings, exchange),
      language,
      peer: requester.group
    }
    return {
      _tag: "Facade",
      request,
      received: (response) => {
        if ("error" in response) exchange.error = response.error
        return respond(exchange, toHttp(response))
      },
      rejected
    }
  }

  if (method !== "POST") return facade(noBody)
  return {
    _tag: "ReadBody",
    limit: maxBody,
    owner: requester,
    whole: facade,
    streamed: undefined,
    tooLarge: () => rejected(new PayloadTooLarge({ limit: maxBody })),
    rejected
  }
}

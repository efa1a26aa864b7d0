import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "./cors.ts"
import type { Exchange } from "./Exchange.ts"

/** The fields that every answer carries beside its own: CORS and the trace id. */
export const commonHeaders = (
  settings: GatewaySettings,
  { origin, route, traceId }: Exchange
): Record<string, string> => {
  const isPublic = route?._tag === "ProtectedResource" || route?._tag === "AuthorizationServer"
  return {
    ...corsHeaders(isPublic ? { _tag: "Any" } : settings.allowedOrigins, origin, settings.traceHeader),
    [settings.traceHeader]: traceId
  }
}

/** Puts the fields that every answer carries on an answer; its own `Vary` is added to. */
export const decorate = (
  settings: GatewaySettings,
  exchange: Exchange,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const fields = commonHeaders(settings, exchange)
  const vary = response.headers["vary"]
  if (vary !== undefined && fields["vary"] !== undefined) fields["vary"] = `${vary}, ${fields["vary"]}`
  return HttpServerResponse.setHeaders(response, fields)
}

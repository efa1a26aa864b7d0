import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "./cors.ts"
import type { Exchange } from "./Exchange.ts"

/**
 * The fields that every answer carries beside its own: CORS and the trace id.
 *
 * @param vary the answer's own `Vary`, which is added to
 */
export const commonHeaders = (
  settings: GatewaySettings,
  { origin, route, traceId }: Exchange,
  vary: string | undefined
): Record<string, string> => {
  const isPublic = route?.row.access === "public" && route.row.anyOrigin
  const fields = corsHeaders(isPublic ? { _tag: "Any" } : settings.allowedOrigins, origin, settings.traceHeader)
  if (vary !== undefined && fields["vary"] !== undefined) fields["vary"] = `${vary}, ${fields["vary"]}`
  fields[settings.traceHeader] = traceId
  return fields
}

/** Puts the fields that every answer carries on an answer. */
export const decorate = (
  settings: GatewaySettings,
  exchange: Exchange,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, commonHeaders(settings, exchange, response.headers["vary"]))

import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { AllowedOrigins, GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "./cors.ts"
import type { Exchange } from "./Exchange.ts"

const noOrigins: AllowedOrigins = { _tag: "List", origins: [] }

const anyOrigins: AllowedOrigins = { _tag: "Any" }

const readableBy = ({ allowedOrigins }: GatewaySettings, route: Exchange["route"]): AllowedOrigins => {
  if (route?.row.access !== "public") return allowedOrigins
  if (route.row.noOrigin === true) return noOrigins
  return route.row.anyOrigin ? anyOrigins : allowedOrigins
}

/**
 * The fields that every response has in addition to its own: CORS and the trace id.
 *
 * @param vary the response's own `Vary`, which is extended
 */
export const commonHeaders = (
  settings: GatewaySettings,
  { origin, route, traceId }: Exchange,
  vary: string | undefined
): Record<string, string> => {
  const fields = corsHeaders(readableBy(settings, route), origin, settings.traceHeader)
  if (vary !== undefined && fields["vary"] !== undefined) fields["vary"] = `${vary}, ${fields["vary"]}`
  fields[settings.traceHeader] = traceId
  return fields
}

/** Adds the fields that every response has. */
export const decorate = (
  settings: GatewaySettings,
  exchange: Exchange,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, commonHeaders(settings, exchange, response.headers["vary"]))

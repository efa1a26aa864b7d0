/** Responses to requests that Node's HTTP server would otherwise reject itself, in the form of every other error. */
import * as Http from "node:http"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "../http/cors.ts"
import { dialects, type Problem } from "../http/dialects.ts"
import { traceId } from "../http/requestHead.ts"

type Settings = Pick<GatewaySettings, "allowedOrigins" | "errorStyle" | "traceHeader">

const malformed: Problem = { status: 400, error: "invalid_request", description: "The request is malformed" }

const late: Problem = { status: 408, error: "request_timeout", description: "The request did not arrive in time" }

/** For header fields that are too large, or too many. */
export const tooLarge: Problem = {
  status: 431,
  error: "request_header_fields_too_large",
  description: "The header fields are too large"
}

/** Node's code for a request that does not arrive in time. */
export const requestTimeoutCode = "ERR_HTTP_REQUEST_TIMEOUT"

/** The problem for the code of a connection error; `undefined` if the connection itself is broken. */
export const ofClientError = (code: string): Problem | undefined => {
  if (code === "HPE_HEADER_OVERFLOW") return tooLarge
  if (code === requestTimeoutCode) return late
  return code.startsWith("HPE_") ? malformed : undefined
}

/** For `CONNECT`. */
export const noTunnel: Problem = {
  status: 405,
  error: "method_not_allowed",
  description: "Method not allowed",
  headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }
}

/** For an `Expect` other than `100-continue` (RFC 9110, section 10.1.1). */
export const unmetExpectation: Problem = {
  status: 417,
  error: "expectation_failed",
  description: "The expectation cannot be met"
}

/** Returns the body and the fields of a response, including those of every response of the gateway. */
export const toResponse = ({ allowedOrigins, errorStyle, traceHeader }: Settings, problem: Problem) => {
  const { elsewhere = errorStyle } = dialects[errorStyle]
  const body = JSON.stringify(dialects[elsewhere].body(problem))
  return {
    body,
    headers: {
      ...corsHeaders(allowedOrigins, undefined, traceHeader),
      ...problem.headers,
      [traceHeader]: traceId(undefined),
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close"
    }
  }
}

export const toMessage = (settings: Settings, problem: Problem): string => {
  const { body, headers } = toResponse(settings, problem)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  return `HTTP/1.1 ${problem.status} ${Http.STATUS_CODES[problem.status]}\r\n${lines}\r\n${body}`
}

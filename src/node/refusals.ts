/** Answers to what Node's HTTP server would otherwise refuse on its own, in the shape of every other error. */
import * as Http from "node:http"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "../http/cors.ts"
import { traceId } from "../http/traceId.ts"

type Settings = Pick<GatewaySettings, "allowedOrigins" | "traceHeader">

export interface Refusal {
  readonly status: number
  readonly error: string
  readonly description: string
  readonly headers?: Readonly<Record<string, string>>
}

const malformed: Refusal = { status: 400, error: "invalid_request", description: "The request is malformed" }

const late: Refusal = { status: 408, error: "request_timeout", description: "The request did not arrive in time" }

/** For fields that are too large, or too many. */
export const tooLarge: Refusal = {
  status: 431,
  error: "request_header_fields_too_large",
  description: "The header fields are too large"
}

/** Node's code for a request that does not arrive in time. */
export const requestTimeoutCode = "ERR_HTTP_REQUEST_TIMEOUT"

/** By the code of an error on a connection; `undefined` when the connection itself is broken. */
export const ofClientError = (code: string): Refusal | undefined => {
  if (code === "HPE_HEADER_OVERFLOW") return tooLarge
  if (code === requestTimeoutCode) return late
  return code.startsWith("HPE_") ? malformed : undefined
}

/** For `CONNECT`. */
export const noTunnel: Refusal = {
  status: 405,
  error: "method_not_allowed",
  description: "Method not allowed",
  headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }
}

/** For an `Expect` other than `100-continue` (RFC 9110, section 10.1.1). */
export const unmetExpectation: Refusal = {
  status: 417,
  error: "expectation_failed",
  description: "The expectation cannot be met"
}

/** A refusal as fields and body, with what every answer of the gateway carries. */
export const toAnswer = ({ allowedOrigins, traceHeader }: Settings, { description, error, headers }: Refusal) => {
  const body = JSON.stringify({ error, error_description: description })
  return {
    body,
    headers: {
      ...corsHeaders(allowedOrigins, undefined, traceHeader),
      ...headers,
      [traceHeader]: traceId(undefined),
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close"
    }
  }
}

/** A refusal as it goes over the wire. */
export const toMessage = (settings: Settings, refusal: Refusal): string => {
  const { body, headers } = toAnswer(settings, refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  return `HTTP/1.1 ${refusal.status} ${Http.STATUS_CODES[refusal.status]}\r\n${lines}\r\n${body}`
}

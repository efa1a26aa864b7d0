/**
 * Node's HTTP server, set up so that what never becomes a request is answered in the gateway's own shape, too.
 */
import * as Http from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { corsHeaders } from "../http/cors.ts"
import { traceId } from "../http/traceId.ts"

// Room for the other fields of a request beside its token.
const otherFieldBytes = 16 * 1024

// How long a refused client may take to read the refusal before its connection is cut.
const closeGraceMillis = 1_000

type Settings = Pick<GatewaySettings, "allowedOrigins" | "maxTokenBytes" | "traceHeader">

interface Refusal {
  readonly status: number
  readonly error: string
  readonly description: string
  readonly headers?: Readonly<Record<string, string>>
}

const malformed: Refusal = { status: 400, error: "invalid_request", description: "The request is malformed" }

const refusals: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    error: "request_timeout",
    description: "The request did not arrive in time"
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: "request_header_fields_too_large",
    description: "The header fields are too large"
  }
}

const noTunnel: Refusal = {
  status: 405,
  error: "method_not_allowed",
  description: "Method not allowed",
  headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }
}

const unmetExpectation: Refusal = {
  status: 417,
  error: "expectation_failed",
  description: "The expectation cannot be met"
}

const answerOf = ({ allowedOrigins, traceHeader }: Settings, refusal: Refusal) => {
  const body = JSON.stringify({ error: refusal.error, error_description: refusal.description })
  const headers: Record<string, string> = {
    ...corsHeaders(allowedOrigins, undefined, traceHeader),
    ...refusal.headers,
    [traceHeader]: traceId(undefined),
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close"
  }
  return { body, headers }
}

const closeAfter = (settings: Settings, socket: Duplex, refusal: Refusal): void => {
  const { body, headers } = answerOf(settings, refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.end(`HTTP/1.1 ${refusal.status} ${Http.STATUS_CODES[refusal.status]}\r\n${lines}\r\n${body}`)
  if (socket instanceof Socket) socket.setTimeout(closeGraceMillis, () => socket.destroy())
}

/** What a connection was last asked, and how many of its requests have no complete answer yet. */
interface Exchanges {
  request: Http.IncomingMessage
  response: Http.ServerResponse
  unanswered: number
}

/**
 * Says whether an answer written now would be read as the answer to the bytes that are refused, and not as one to an
 * earlier request, as a second one to the same request, or as a part of a body.
 */
const isAnswerable = (exchanges: Exchanges | undefined): boolean => {
  if (exchanges === undefined) return true
  const { request, response, unanswered } = exchanges
  return request.complete ? unanswered === 0 : unanswered === 1 && !response.headersSent
}

/**
 * Makes the server; whoever serves adds the `request` listener.
 *
 * Bytes that are no request are answered 400, 408 or 431, a tunnel 405, an unknown expectation 417. `Upgrade` is
 * ignored (RFC 9110, section 7.8): such a request is one like any other.
 */
export const makeHttpServer = (settings: Settings): Http.Server => {
  const server = Http.createServer({
    maxHeaderSize: settings.maxTokenBytes + otherFieldBytes,
    headersTimeout: 10_000,
    // A request is read whole before it is answered, so this does not cut streams.
    requestTimeout: 60_000,
    // Longer than the idle time of the usual load balancers, which must be the ones to close.
    keepAliveTimeout: 75_000,
    // Refused by the gateway, in its own words.
    requireHostHeader: false
  })
  // Fields beyond a count would be dropped unseen, a second Authorization among them; `maxHeaderSize` bounds them all.
  server.maxHeadersCount = 0

  const connections = new WeakMap<Duplex, Exchanges>()

  const refuse = (socket: Duplex, refusal: Refusal): void => {
    if (socket.writable && isAnswerable(connections.get(socket))) closeAfter(settings, socket, refusal)
    else socket.destroy()
  }

  const track = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const exchanges = connections.get(request.socket) ?? { request, response, unanswered: 0 }
    connections.set(request.socket, Object.assign(exchanges, { request, response }))
    exchanges.unanswered += 1
    response.on("close", () => {
      exchanges.unanswered -= 1
    })
  }

  server.on("request", track)
  server.on("checkContinue", track)

  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    if (error.code === "ECONNRESET") socket.destroy()
    else refuse(socket, refusals[error.code ?? ""] ?? malformed)
  })

  server.on("connect", (_request, socket) => {
    // Node has taken its own listeners away.
    socket.on("error", () => socket.destroy())
    refuse(socket, noTunnel)
  })

  server.on("checkExpectation", (request, response) => {
    track(request, response)
    const { body, headers } = answerOf(settings, unmetExpectation)
    response.writeHead(unmetExpectation.status, headers).end(body)
  })

  // Effect's server listens for upgrades; without a listener Node reads such a request like any other.
  server.on("newListener", (event) => {
    if (event === "upgrade") queueMicrotask(() => server.removeAllListeners("upgrade"))
  })

  return server
}

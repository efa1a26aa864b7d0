/**
 * Node's HTTP server, set up so that what never becomes a request is answered in the gateway's own shape, too.
 */
import * as Http from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import * as Refusals from "./refusals.ts"

// Room for the other fields of a request beside its token.
const otherFieldBytes = 16 * 1024

// What a refused client may still send, while it reads the refusal, before its connection is cut.
const closeGraceMillis = 1_000
const closeGraceChunks = 64

/** What a connection was asked, and what it has not been told yet. */
interface Connection {
  latest: { readonly request: Http.IncomingMessage; readonly response: Http.ServerResponse } | undefined
  readonly unanswered: Set<Http.ServerResponse>
  /** What is to be said once everything is answered. */
  afterwards: string | undefined
  /** How many more chunks are overlooked, once the connection has been ended from here. */
  overlooked: number | undefined
}

/** Ends a connection, with last words or without; a client that does not let go is cut off. */
const end = (socket: Duplex, connection: Connection, text = ""): void => {
  if (!socket.writable) return
  // Cutting it at once would reset it, and the client could lose the words.
  connection.overlooked = closeGraceChunks
  socket.end(text)
  if (socket instanceof Socket) socket.setTimeout(closeGraceMillis, () => socket.destroy())
}

/**
 * Refuses the bytes that a connection has just sent, and ends it.
 *
 * The refusal is written only where it will be read as the answer to those bytes: not as one to an earlier request, not
 * as a second one to the same request, not in the middle of a body.
 */
const refuse = (socket: Duplex, connection: Connection, text: string): void => {
  const { latest, overlooked } = connection
  const unanswered = connection.unanswered.size
  if (overlooked !== undefined && overlooked > 0) connection.overlooked = overlooked - 1
  else if (!socket.writable) socket.destroy()
  else if (latest === undefined) end(socket, connection, text)
  else if (latest.request.complete) {
    // Another request was about to begin.
    if (unanswered === 0) end(socket, connection, text)
    else connection.afterwards = text
  } else if (unanswered <= 1 && latest.response.writableEnded) end(socket, connection)
  else if (unanswered === 1 && !latest.response.headersSent) end(socket, connection, text)
  else socket.destroy()
}

/**
 * Makes the server; whoever serves adds the `request` listener.
 *
 * Bytes that are no request are answered 400, 408 or 431, a tunnel 405, an unknown expectation 417. `Upgrade` is
 * ignored (RFC 9110, section 7.8): such a request is one like any other, but the last of its connection.
 */
export const makeHttpServer = (settings: GatewaySettings): Http.Server => {
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

  const connections = new WeakMap<Duplex, Connection>()

  const connectionOf = (socket: Duplex): Connection => {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = {
      latest: undefined,
      unanswered: new Set(),
      afterwards: undefined,
      overlooked: undefined
    }
    connections.set(socket, connection)
    socket.once("close", () => {
      // Node tells only the answer whose turn it is; those that wait behind it would wait for ever.
      for (const response of connection.unanswered) {
        if (response.socket === null) response.emit("close")
      }
    })
    return connection
  }

  const track = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const { socket } = request
    const connection = connectionOf(socket)
    connection.latest = { request, response }
    connection.unanswered.add(response)
    // Behind an upgrade that it ignores, Node's parser loses what came in the same segment.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
    response.once("close", () => {
      connection.unanswered.delete(response)
      if (connection.unanswered.size === 0 && connection.afterwards !== undefined) {
        end(socket, connection, connection.afterwards)
      }
    })
  }

  server.on("request", track)
  server.on("checkContinue", track)

  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const refusal = Refusals.ofClientError(error.code ?? "")
    if (refusal === undefined) socket.destroy()
    else refuse(socket, connectionOf(socket), Refusals.toMessage(settings, refusal))
  })

  server.on("connect", (_request, socket) => {
    // Node has taken its listeners away, the one that answers in progress wait for among them.
    socket.on("error", () => socket.destroy())
    const connection = connectionOf(socket)
    if (connection.unanswered.size > 0) socket.destroy()
    else refuse(socket, connection, Refusals.toMessage(settings, Refusals.noTunnel))
  })

  server.on("checkExpectation", (request, response) => {
    track(request, response)
    const { body, headers } = Refusals.toAnswer(settings, Refusals.unmetExpectation)
    response.writeHead(Refusals.unmetExpectation.status, headers).end(body)
  })

  // Effect's server listens for upgrades; without a listener Node reads such a request like any other.
  server.on("newListener", (event) => {
    if (event === "upgrade") queueMicrotask(() => server.removeAllListeners("upgrade"))
  })

  return server
}

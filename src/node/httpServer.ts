/**
 * Node's HTTP server, set up so that what never becomes a request is answered in the gateway's own shape, too.
 */
import * as Http from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { Connection } from "./Connection.ts"
import * as Refusals from "./refusals.ts"

// Room for the other fields of a request beside its token.
const otherFieldBytes = 16 * 1024

const makeServer = (settings: GatewaySettings): Http.Server => {
  const server = Http.createServer({
    maxHeaderSize: settings.maxTokenBytes + otherFieldBytes,
    headersTimeout: 10_000,
    // For a request to arrive whole: this does not cut answers.
    requestTimeout: 60_000,
    // Longer than the idle time of the usual load balancers, which must be the ones to close.
    keepAliveTimeout: 75_000,
    // Refused by the gateway, in its own words.
    requireHostHeader: false
  })
  // Fields beyond a count would be dropped unseen, a second Authorization among them; `maxHeaderSize` bounds them all.
  server.maxHeadersCount = 0
  return server
}

/**
 * Answers a request.
 *
 * @param awaitsContinue the client sends its body when it is told to (RFC 9110, section 10.1.1)
 */
export type Handle = (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => void

/**
 * Makes the server.
 *
 * A connection has at most 64 requests open, and more of them are not read: what one client sends ahead is no load for
 * the others.
 *
 * Bytes that are no request are answered 400, 408 or 431, a tunnel 405, an unknown expectation 417. `Upgrade` is
 * ignored (RFC 9110, section 7.8): such a request is one like any other, but the last of its connection.
 *
 * Once the server is closed, every answer that is open, or still comes, is the last one on its connection. Node closes
 * those connections only that are idle at that moment: a client that was waiting for an answer would keep its own, and
 * the process, for as long as it liked.
 */
export const makeHttpServer = (settings: GatewaySettings, handle: Handle): Http.Server => {
  const server = makeServer(settings)
  const connections = new Map<Duplex, Connection>()

  const connectionOf = (socket: Duplex): Connection => {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(socket, () => {
      if (!server.listening && socket instanceof Socket) socket.destroySoon()
    })
    connections.set(socket, connection)
    socket.once("close", () => {
      connections.delete(socket)
      connection.close()
    })
    return connection
  }

  const take = (
    { headers, socket }: Http.IncomingMessage,
    response: Http.ServerResponse,
    begin: () => void
  ): void => {
    connectionOf(socket).arrive(response, () => {
      // Behind an upgrade that it ignores, Node's parser loses what came in the same segment.
      if (headers.upgrade !== undefined || !server.listening) response.shouldKeepAlive = false
      begin()
    })
  }

  server.on("request", (request, response) => take(request, response, () => handle(request, response, false)))
  server.on("checkContinue", (request, response) => take(request, response, () => handle(request, response, true)))

  const close = server.close.bind(server)
  server.close = (callback) => {
    for (const connection of connections.values()) connection.makeLast()
    return close(callback)
  }

  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const refusal = Refusals.ofClientError(error.code ?? "")
    if (refusal === undefined) socket.destroy()
    else connectionOf(socket).refuse(Refusals.toMessage(settings, refusal))
  })

  server.on("connect", (_request, socket) => {
    // Node has taken its listeners away, the one that answers in progress wait for among them.
    socket.on("error", () => socket.destroy())
    const connection = connectionOf(socket)
    if (connection.isAnswered) connection.refuse(Refusals.toMessage(settings, Refusals.noTunnel))
    else socket.destroy()
  })

  server.on("checkExpectation", (request, response) =>
    take(request, response, () => {
      const { body, headers } = Refusals.toAnswer(settings, Refusals.unmetExpectation)
      response.writeHead(Refusals.unmetExpectation.status, headers).end(body)
    }))

  return server
}

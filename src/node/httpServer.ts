/**
 * Node's HTTP server, set up so that what never becomes a request is answered in the gateway's own shape, too.
 */
import * as Http from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { Shares } from "../fairness/Shares.ts"
import { peerOf } from "../http/asker.ts"
import type { Problem } from "../http/dialects.ts"
import { ClientPace } from "./ClientPace.ts"
import { Connection, type ConnectionMeans } from "./Connection.ts"
import { inSlices } from "./inSlices.ts"
import * as Refusals from "./refusals.ts"
import { Turns } from "./Turns.ts"

// Room for the other fields of a request beside its token.
const otherFieldBytes = 16 * 1024

// More of them are no request of a client or a proxy: what each costs would be paid by others.
const maxFields = 256

// How often Node looks for connections whose time is up: a twentieth of the shorter time, in milliseconds.
const checkMillis = ({ clientBodyMillis, clientHeadMillis }: GatewaySettings): number =>
  Math.min(500, Math.ceil(Math.min(clientBodyMillis, clientHeadMillis) / 20))

// Connections whose time is up that are answered in one turn of the event loop.
const lateInTurn = 32

// How many requests begin in one turn of the event loop: some two milliseconds of work.
const begunInTurn = 32

// Requests that clients may send ahead of responses, all in all: each takes some kilobytes. One peer alone gets half of it.
const maxAhead = 4_096

const makeServer = (settings: GatewaySettings): Http.Server => {
  const { clientBodyMillis, clientHeadMillis, clientIdleMillis } = settings
  const server = Http.createServer({
    maxHeaderSize: settings.maxTokenBytes + otherFieldBytes,
    headersTimeout: Math.min(clientHeadMillis, clientBodyMillis),
    // For a request to arrive whole: this does not cut answers.
    requestTimeout: clientBodyMillis,
    connectionsCheckingInterval: checkMillis(settings),
    keepAliveTimeout: clientIdleMillis,
    // Refused by the gateway, in its own words.
    requireHostHeader: false
  })
  // Fields beyond a count would be dropped unseen, a second Authorization among them: they are refused.
  server.maxHeadersCount = 0
  return server
}

/** Looks once a second for clients that are too slow, as long as the server lives. */
const watchPace = (server: Http.Server, { clientMinRate }: GatewaySettings): ClientPace => {
  const pace = new ClientPace({ minRate: clientMinRate, windowMillis: 10_000, streamWindowMillis: 60_000 })
  const timer = setInterval(() =>
    pace.look(performance.now(), (socket, action) => {
      // As for any other request that does not arrive in time.
      if (action === "Writing") server.emit("clientError", requestTimeout(), socket)
      else socket.destroy()
    }), 1000)
  timer.unref()
  server.once("close", () => clearInterval(timer))
  return pace
}

const requestTimeout = () =>
  Object.assign(new Error("the request does not arrive in time"), { code: Refusals.requestTimeoutCode })

/**
 * Answers a request.
 *
 * @param awaitsContinue the client sends its body when it is told to (RFC 9110, section 10.1.1)
 */
export type Handle = (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => void

/**
 * Makes the server.
 *
 * A connection has at most 64 requests open, and more of them are not read. In one turn of the event loop 32 requests
 * begin, and peers take turns: what one client sends ahead does not delay the others.
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
  const pace = watchPace(server, settings)
  const connections = new Map<Duplex, Connection>()
  const means: ConnectionMeans = { turns: new Turns(begunInTurn, setImmediate), ahead: new Shares(maxAhead) }
  let opened = 0

  const connectionOf = (socket: Duplex): Connection => {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const group = peerOf(socket instanceof Socket ? socket.remoteAddress : undefined)
    const connection = new Connection(socket, means, { group, member: String(opened++) }, () => {
      if (!server.listening && socket instanceof Socket) socket.destroySoon()
    })
    connections.set(socket, connection)
    socket.once("close", () => {
      connections.delete(socket)
      connection.close()
    })
    return connection
  }

  const answer = (response: Http.ServerResponse, refusal: Problem): void => {
    const { body, headers } = Refusals.toResponse(settings, refusal)
    response.writeHead(refusal.status, headers).end(body)
  }

  const take = (request: Http.IncomingMessage, response: Http.ServerResponse, begin: () => void): void => {
    connectionOf(request.socket).arrive(response, () => {
      // Before `headers`, which Node makes of them when it is asked for: that costs far more than to read them.
      if (request.rawHeaders.length > 2 * maxFields) return answer(response, Refusals.tooLarge)
      pace.watch(request, response)
      // Behind an upgrade that it ignores, Node's parser loses what came in the same segment.
      if (request.headers.upgrade !== undefined || !server.listening) response.shouldKeepAlive = false
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

  const refuse = (socket: Duplex, code: string) => {
    const refusal = Refusals.ofClientError(code)
    if (refusal === undefined) socket.destroy()
    else connectionOf(socket).refuse(Refusals.toMessage(settings, refusal))
  }
  // Node finds all those at once whose time is up.
  const refuseLate = inSlices(lateInTurn, (socket: Duplex) => {
    if (!socket.destroyed) refuse(socket, Refusals.requestTimeoutCode)
  })

  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const { code = "" } = error
    if (code === Refusals.requestTimeoutCode) refuseLate(socket)
    else refuse(socket, code)
  })

  server.on("connect", (_request, socket) => {
    // Node has taken its listeners away, the one that answers in progress wait for among them.
    socket.on("error", () => socket.destroy())
    const connection = connectionOf(socket)
    if (connection.isAnswered) connection.refuse(Refusals.toMessage(settings, Refusals.noTunnel))
    else socket.destroy()
  })

  server.on(
    "checkExpectation",
    (request, response) => take(request, response, () => answer(response, Refusals.unmetExpectation))
  )

  return server
}

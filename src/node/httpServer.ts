/** Node's HTTP server, configured so that the gateway itself responds to malformed requests as well. */
import * as Http from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { Shares } from "../fairness/Shares.ts"
import type { Problem } from "../http/dialects.ts"
import { peerOf } from "../http/requester.ts"
import { ClientConnections } from "./ClientConnections.ts"
import { ClientPace } from "./ClientPace.ts"
import { Connection, type ConnectionMeans } from "./Connection.ts"
import { inSlices } from "./inSlices.ts"
import * as ProblemResponses from "./problemResponses.ts"
import { type TurnLimits, Turns } from "./Turns.ts"

// Space for the other fields of a request, in addition to its token.
const otherFieldBytes = 16 * 1024

// No real client or proxy sends more fields, and processing them would delay other requests.
const maxFields = 256

// How often Node checks for connections that have timed out: a twentieth of the shorter timeout, in milliseconds.
const checkMillis = ({ clientBodyMillis, clientHeadMillis }: GatewaySettings): number =>
  Math.min(500, Math.ceil(Math.min(clientBodyMillis, clientHeadMillis) / 20))

// How many timed-out connections get their response in one turn of the event loop.
const lateInTurn = 32

// How many requests begin in one turn of the event loop. The time counts for those that take longer than most.
const begunInTurn: TurnLimits = { steps: 32, millis: 1 }

// How many pipelined requests may wait in total. Each takes some kilobytes. One peer can use at most half of them.
const maxAhead = 4_096

/** Sets the timeouts of the settings, for open connections, too. */
export const setTimeouts = (
  server: Http.Server,
  { clientBodyMillis, clientHeadMillis, clientIdleMillis }: GatewaySettings
): void => {
  server.headersTimeout = Math.min(clientHeadMillis, clientBodyMillis)
  // The time for receiving a request. It does not limit responses.
  server.requestTimeout = clientBodyMillis
  server.keepAliveTimeout = clientIdleMillis
}

const makeServer = (settings: GatewaySettings): Http.Server => {
  const server = Http.createServer({
    maxHeaderSize: settings.maxTokenBytes + otherFieldBytes,
    connectionsCheckingInterval: checkMillis(settings),
    // The gateway rejects requests without `Host` itself, with its own text.
    requireHostHeader: false
  })
  // With a limit, Node would silently drop further fields, perhaps a second Authorization. Such requests are rejected.
  server.maxHeadersCount = 0
  setTimeouts(server, settings)
  return server
}

/** Checks once a second for clients that are too slow, for the lifetime of the server. */
const watchPace = (server: Http.Server, settings: () => GatewaySettings): ClientPace => {
  const pace = new ClientPace({
    minRate: () => settings().clientMinRate,
    windowMillis: 10_000,
    streamWindowMillis: 60_000
  })
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
  Object.assign(new Error("the request does not arrive in time"), { code: ProblemResponses.requestTimeoutCode })

/**
 * Handles a request.
 *
 * @param awaitsContinue the client waits for `100 Continue` before it sends its body (RFC 9110, section 10.1.1)
 */
export type Handle = (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => void

/**
 * Builds the server.
 *
 * A connection has at most 64 open requests, and no more are read. In one turn of the event loop 32 requests begin, or
 * fewer if these take longer than a millisecond, and peers take turns, so that what one client pipelines does not delay
 * the others.
 *
 * Malformed requests result in 400, 408 or 431, `CONNECT` in 405, and an unknown expectation in 417. `Upgrade` is ignored
 * (RFC 9110, section 7.8): such a request is handled normally, but is the last one of its connection.
 *
 * After the server was closed, every open or later response is the last one on its connection. Node closes only
 * connections that are idle at that moment: a client with an open response would otherwise keep its connection, and the
 * process, alive for as long as it likes.
 *
 * @param settings the current ones
 * @param stopping from when on every response is the last one on its connection, although the server still listens
 * @param open the open connections, and how many there may be
 */
export const makeHttpServer = (
  settings: () => GatewaySettings,
  handle: Handle,
  stopping: { readonly isStopping: boolean } = { isStopping: false },
  open: ClientConnections<Connection> = new ClientConnections(() => settings().maxClientConnections)
): Http.Server => {
  const server = makeServer(settings())
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
    // An error may be reported after the end.
    if (socket.closed) return connection
    connections.set(socket, connection)
    socket.once("close", () => {
      connections.delete(socket)
      open.remove(group, connection)
      connection.close()
    })
    if (!open.add(group, connection)) connection.destroy()
    return connection
  }

  // Connections count from the beginning: one that sends nothing takes a place as well.
  server.on("connection", connectionOf)

  const respond = (response: Http.ServerResponse, problem: Problem): void => {
    const { body, headers } = ProblemResponses.toResponse(settings(), problem)
    response.writeHead(problem.status, headers).end(body)
  }

  const take = (request: Http.IncomingMessage, response: Http.ServerResponse, begin: () => void): void => {
    connectionOf(request.socket).arrive(response, () => {
      // Checked before `headers`, which Node builds on access: that costs far more than reading them.
      if (request.rawHeaders.length > 2 * maxFields) return respond(response, ProblemResponses.tooLarge)
      pace.watch(request, response)
      // After an upgrade that it ignores, Node's parser loses the rest of the same segment.
      if (request.headers.upgrade !== undefined || stopping.isStopping || !server.listening) {
        response.shouldKeepAlive = false
      }
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

  const reject = (socket: Duplex, code: string) => {
    const problem = ProblemResponses.ofClientError(code)
    if (problem === undefined) socket.destroy()
    else connectionOf(socket).reject(ProblemResponses.toMessage(settings(), problem))
  }
  // Node finds all timed-out connections at once.
  const rejectLate = inSlices(lateInTurn, (socket: Duplex) => {
    if (!socket.destroyed) reject(socket, ProblemResponses.requestTimeoutCode)
  })

  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const { code = "" } = error
    if (code === ProblemResponses.requestTimeoutCode) rejectLate(socket)
    else reject(socket, code)
  })

  server.on("connect", (_request, socket) => {
    // Node has removed its listeners, including the one that responses in progress wait for.
    socket.on("error", () => socket.destroy())
    const connection = connectionOf(socket)
    if (connection.isIdle) connection.reject(ProblemResponses.toMessage(settings(), ProblemResponses.noTunnel))
    else socket.destroy()
  })

  server.on(
    "checkExpectation",
    (request, response) => take(request, response, () => respond(response, ProblemResponses.unmetExpectation))
  )

  return server
}

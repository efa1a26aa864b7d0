/**
 * The MCP server of the soak: fast responses, slow responses, long ones, event streams, sessions, and a count of its own
 * connections.
 *
 * The path below `/mcp` selects the behaviour: `/slow?millis=`, `/long?bytes=`, `/events?count=&millis=` (a count of 0
 * is a stream that stays open); everything else gets a response at once. An `initialize` begins a session, `DELETE`
 * ends it, and an unknown session id gets 404. `/gone?millis=` makes it unreachable for a while.
 */
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { argv } from "node:process"
import { Readable } from "node:stream"
import { initializeResponse, toolsListResponse } from "../../bench/peers/mcpResponses.ts"

/** The response of `/stats`. */
export interface ServerStats {
  /** Connections that are open now, that of the question included. */
  readonly open: number
  /** The most that were open at a time. */
  readonly most: number
  /** All that were ever opened. */
  readonly opened: number
  readonly requests: number
}

const stats = { open: 0, most: 0, opened: 0, requests: 0 }
const sockets = new Set<Socket>()

/** Sessions whose clients never end them: the oldest are dropped. */
const maxSessions = 10_000
const sessions = new Set<string>()

const chunk = Buffer.alloc(65_536, "A")

const json = { "content-type": "application/json" }

const sendEvents = (response: ServerResponse, count: number, millis: number): void => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
  response.flushHeaders()
  let sent = 0
  const timer = setInterval(() => {
    response.write(
      `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { n: sent } })}\n\n`
    )
    sent++
    if (sent === count) {
      clearInterval(timer)
      response.end(`data: ${toolsListResponse}\n\n`)
    }
  }, millis)
  response.on("close", () => clearInterval(timer))
}

const beginSession = (response: ServerResponse): void => {
  const id = randomUUID()
  sessions.add(id)
  const [oldest] = sessions
  if (sessions.size > maxSessions && oldest !== undefined) sessions.delete(oldest)
  response.writeHead(200, { ...json, "mcp-session-id": id }).end(initializeResponse)
}

/** A response in chunks, each made when the client reads it, so that clients that do not read cost this process nothing. */
function* longResponse(bytes: number) {
  yield "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\""
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
  yield "\"}"
}

const goAway = (millis: number): void => {
  server.close()
  for (const socket of sockets) socket.destroy()
  setTimeout(listen, millis)
}

const respond = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1")
  const millis = Number(searchParams.get("millis"))
  const session = request.headers["mcp-session-id"]
  if (pathname === "/stats") {
    response.writeHead(200, json).end(JSON.stringify(stats))
    return
  }
  if (pathname === "/gone") {
    response.writeHead(202).end(() => goAway(millis))
    return
  }
  if (typeof session === "string" && !sessions.has(session)) {
    response.writeHead(404, json).end(JSON.stringify({ error: "unknown session" }))
    return
  }
  if (request.method === "DELETE") {
    sessions.delete(String(session))
    response.writeHead(204).end()
    return
  }
  if (pathname === "/mcp/events") return sendEvents(response, Number(searchParams.get("count")), millis)
  if (pathname === "/mcp/long") {
    response.writeHead(200, json)
    Readable.from(longResponse(Number(searchParams.get("bytes"))), { objectMode: false }).pipe(response)
    return
  }
  if (body.includes(`"method":"initialize"`)) return beginSession(response)
  if (body.includes(`"method":"notifications/`)) {
    response.writeHead(202).end()
    return
  }
  setTimeout(() => response.writeHead(200, json).end(toolsListResponse), pathname === "/mcp/slow" ? millis : 0)
}

const server = createServer((request, response) => {
  stats.requests++
  // Only the beginning is read; the rest of long messages is discarded.
  let body = ""
  request.setEncoding("utf8").on("data", (chunk: string) => {
    if (body.length < 1024) body += chunk
  })
  request.on("end", () => respond(request, response, body))
})
server.on("connection", (socket) => {
  stats.opened++
  stats.most = Math.max(stats.most, ++stats.open)
  sockets.add(socket)
  socket.on("close", () => {
    stats.open--
    sockets.delete(socket)
  })
})
// Announced to the gateway, which closes an idle connection a second earlier.
server.keepAliveTimeout = 2000

const listen = (): void => {
  server.listen(Number(argv[2]), "127.0.0.1", 4096)
}

listen()

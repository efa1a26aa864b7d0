/**
 * The MCP server of the soak: fast answers, slow answers, event streams, and a count of its own connections.
 *
 * What it does is in the path below `/mcp`: `/slow?millis=`, `/events?count=&millis=` (a count of 0 is a stream that stays
 * open), everything else is answered at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { argv } from "node:process"
import { initializeAnswer, toolsListAnswer } from "../../bench/peers/mcpAnswers.ts"

/** What `/stats` says. */
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
      response.end(`data: ${toolsListAnswer}\n\n`)
    }
  }, millis)
  response.on("close", () => clearInterval(timer))
}

const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1")
  const millis = Number(searchParams.get("millis"))
  if (pathname === "/stats") {
    response.writeHead(200, json).end(JSON.stringify(stats))
    return
  }
  if (pathname === "/mcp/events") return sendEvents(response, Number(searchParams.get("count")), millis)
  const text = body.includes(`"method":"initialize"`) ? initializeAnswer : toolsListAnswer
  setTimeout(() => response.writeHead(200, json).end(text), pathname === "/mcp/slow" ? millis : 0)
}

const server = createServer((request, response) => {
  stats.requests++
  // Only the beginning is looked at; long messages are read and dropped.
  let body = ""
  request.setEncoding("utf8").on("data", (chunk: string) => {
    if (body.length < 1024) body += chunk
  })
  request.on("end", () => answer(request, response, body))
})
server.on("connection", (socket) => {
  stats.opened++
  stats.most = Math.max(stats.most, ++stats.open)
  socket.on("close", () => stats.open--)
})
server.keepAliveTimeout = 3_600_000
server.listen(Number(argv[2]), "127.0.0.1", 4096)

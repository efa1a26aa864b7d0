/** An MCP server on node:http: for event streams and uploads always, for the rest where nginx is not installed. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { argv } from "node:process"
import {
  downloadPath,
  eventsPath,
  initializeResponse,
  largeLength,
  longListPath,
  longListResponse,
  toolsListResponse,
  uploadPath
} from "./mcpResponses.ts"

const large = Buffer.alloc(largeLength, "A")
const longList = Buffer.from(longListResponse)

/** Events that carry the time at which they were sent, by the clock that all processes of a machine share. */
const sendEvents = (response: ServerResponse, count: number): void => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
  response.flushHeaders()
  let sent = 0
  // Each stream keeps its own time, so that a thousand of them do not speak at once.
  const timer = setInterval(() => {
    response.write(`data: ${sent++} ${process.hrtime.bigint()}\n\n`)
    if (sent === count) {
      clearInterval(timer)
      response.end()
    }
  }, 1000)
  response.on("close", () => clearInterval(timer))
}

const reply = (request: IncomingMessage, response: ServerResponse): void => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1")
  if (pathname === eventsPath) return sendEvents(response, Number(searchParams.get("count")))
  if (pathname === downloadPath) {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": large.length }).end(large)
    return
  }
  if (pathname === longListPath) {
    response.writeHead(200, { "content-type": "application/json", "content-length": longList.length }).end(longList)
    return
  }
  const text = request.headers["mcp-method"] === "initialize" && pathname !== uploadPath
    ? initializeResponse
    : toolsListResponse
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text)
}

const server = createServer((request, response) => {
  request.resume()
  request.on("end", () => reply(request, response))
})
// The default closes connections that are idle for 5 s, perhaps in the middle of a request.
server.keepAliveTimeout = 3_600_000
server.listen(Number(argv[2]), "127.0.0.1", 4096)

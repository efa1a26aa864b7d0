/**
 * An MCP server built with `@modelcontextprotocol/sdk` 1.x: sessions, a GET stream, DELETE, resumable event streams.
 *
 * Tools: `echo`, `add`, `whoami` (the `x-auth-*` headers of the call), `slow` (progress notifications), `announce` (a log
 * message on the GET stream), `interrupted` (closes its event stream before it responds, so that the client must resume).
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { json } from "node:stream/consumers"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeInMemoryEventStore } from "./InMemoryEventStore.ts"
import { addInput, authHeaders, echoInput, type OfficialServer, slowInput, text, walk } from "./OfficialServer.ts"

const makeServer = (onCancelled: () => void): McpServer => {
  const server = new McpServer({ name: "official-v1", version: "1.0.0" }, { capabilities: { logging: {} } })
  server.registerTool("echo", { inputSchema: echoInput.shape }, ({ message }) => text(message))
  server.registerTool("add", { inputSchema: addInput.shape }, ({ a, b }) => text(String(a + b)))
  server.registerTool("whoami", {}, (extra) => text(authHeaders(Object.entries(extra.requestInfo?.headers ?? {}))))
  server.registerTool("slow", { inputSchema: slowInput.shape }, async (input, extra) => {
    const progressToken = extra._meta?.progressToken
    const done = await walk(input, extra.signal, async (progress) => {
      if (progressToken === undefined) return
      const params = { progressToken, progress, total: input.steps }
      await extra.sendNotification({ method: "notifications/progress", params })
    })
    if (done === undefined) onCancelled()
    return text(done ?? "cancelled")
  })
  server.registerTool("announce", { inputSchema: echoInput.shape }, async ({ message }) => {
    await server.server.sendLoggingMessage({ level: "info", data: message })
    return text("announced")
  })
  server.registerTool("interrupted", { inputSchema: echoInput.shape }, ({ message }, extra) => {
    extra.closeSSEStream?.()
    return text(message)
  })
  return server
}

const rejectWith = (response: ServerResponse, status: number, code: number, message: string): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }))
}

/** Starts the server; it stops with its scope. */
export const officialServerV1: Effect.Effect<OfficialServer, never, Scope.Scope> = Effect.gen(function*() {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  let cancelled = 0

  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: makeInMemoryEventStore(),
      retryInterval: 10,
      onsessioninitialized: (id) => {
        sessions.set(id, transport)
      },
      onsessionclosed: (id) => {
        sessions.delete(id)
      }
    })
    const server = makeServer(() => {
      cancelled += 1
    })
    // The SDK's class has accessors of type `| undefined`; its own interface has optional properties.
    await server.connect(transport as Transport)
    return transport
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers["mcp-session-id"]
    const known = typeof id === "string" ? sessions.get(id) : undefined
    if (known !== undefined) return known.handleRequest(request, response)
    if (id !== undefined) return rejectWith(response, 404, -32001, "Session not found")
    if (request.method !== "POST") return rejectWith(response, 400, -32000, "Mcp-Session-Id header is required")
    const body: unknown = await json(request)
    if (!isInitializeRequest(body)) return rejectWith(response, 400, -32000, "Mcp-Session-Id header is required")
    return (await open()).handleRequest(request, response, body)
  }

  const { origin } = yield* listen((request, response) => Effect.promise(() => serve(request, response)))
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.all(Array.from(sessions.values(), (transport) => transport.close())))
  )
  return { url: `${origin}/mcp`, sessions: () => sessions.size, cancelled: () => cancelled }
})

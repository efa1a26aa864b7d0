/**
 * The MCP server that `@modelcontextprotocol/conformance` expects, built with `@modelcontextprotocol/sdk` 1.x.
 *
 * It has the tools, prompts and resources that the scenarios name, sessions and resumable streams, and rejects other
 * hosts than loopback ones, as a server without authentication must.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Types from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeInMemoryEventStore } from "../support/InMemoryEventStore.ts"
import { isLoopback } from "./isLoopback.ts"
import { complete, getPrompt, promptList, readResource, resources, resourceTemplates } from "./promptsAndResources.ts"
import { type Extra, sessionTools } from "./sessionTools.ts"
import { type ToolCall, toolList, tools } from "./tools.ts"

const found = <A>(entry: A | undefined, name: string): A => {
  if (entry === undefined) throw new Types.McpError(Types.ErrorCode.InvalidParams, `${name} is unknown`)
  return entry
}

const toolCall = ({ _meta, sendNotification }: Extra): ToolCall => ({
  log: (data) => sendNotification({ method: "notifications/message", params: { level: "info", data } }),
  report: async (progress) => {
    const progressToken = _meta?.progressToken
    if (progressToken === undefined) return
    await sendNotification({ method: "notifications/progress", params: { progressToken, progress, total: 100 } })
  }
})

const call = (name: string, args: Readonly<Record<string, unknown>>, extra: Extra) => {
  const tool = tools[name]
  return tool === undefined ? found(sessionTools[name], name).run(args, extra) : tool.run(args, toolCall(extra))
}

const makeServer = (): Server => {
  const server = new Server({ name: "conformance-server", version: "1.0.0" }, {
    capabilities: { completions: {}, logging: {}, prompts: {}, resources: { subscribe: true }, tools: {} }
  })
  server.setRequestHandler(Types.ListToolsRequestSchema, () => ({ tools: toolList({ ...tools, ...sessionTools }) }))
  server.setRequestHandler(
    Types.CallToolRequestSchema,
    ({ params }, extra) => call(params.name, params.arguments ?? {}, extra)
  )
  server.setRequestHandler(Types.ListPromptsRequestSchema, () => ({ prompts: promptList() }))
  server.setRequestHandler(Types.GetPromptRequestSchema, ({ params }) => ({
    messages: found(getPrompt(params.name, params.arguments), params.name)
  }))
  server.setRequestHandler(Types.ListResourcesRequestSchema, () => ({ resources }))
  server.setRequestHandler(Types.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates }))
  server.setRequestHandler(Types.ReadResourceRequestSchema, ({ params: { uri } }) => ({
    contents: [found(readResource(uri), uri)]
  }))
  server.setRequestHandler(Types.SubscribeRequestSchema, () => ({}))
  server.setRequestHandler(Types.UnsubscribeRequestSchema, () => ({}))
  server.setRequestHandler(Types.CompleteRequestSchema, ({ params }) => complete(params.argument.value))
  return server
}

/** Starts the server, which stops with its scope, and returns the URL of its MCP endpoint. */
export const conformanceServer: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function*() {
  const sessions = new Map<string, StreamableHTTPServerTransport>()

  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: makeInMemoryEventStore(),
      retryInterval: 10,
      onsessioninitialized: (id) => {
        sessions.set(id, transport)
      }
    })
    // The SDK's class has accessors of type `| undefined` where its own interface has optional properties.
    await makeServer().connect(transport as Transport)
    return transport
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers["mcp-session-id"]
    const transport = id === undefined ? await open() : sessions.get(String(id))
    if (transport === undefined) response.writeHead(404).end()
    else await transport.handleRequest(request, response)
  }

  const { port } = yield* listen((request, response) =>
    isLoopback(request)
      ? Effect.promise(() => serve(request, response))
      : Effect.sync(() => response.writeHead(403).end())
  )
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.all(Array.from(sessions.values(), (transport) => transport.close())))
  )
  return `http://localhost:${port}/mcp`
})

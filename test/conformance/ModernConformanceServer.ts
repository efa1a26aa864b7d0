/**
 * The MCP server that `@modelcontextprotocol/conformance` expects of revision 2026-07-28, built with
 * `@modelcontextprotocol/server` 2.x.
 */
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node"
import {
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type ServerContext,
  type ServerNotifier
} from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { text } from "./content.ts"
import { isLoopback } from "./isLoopback.ts"
import { ask, askedRounds, contextQuestion, modernTools } from "./modernTools.ts"
import { complete, getPrompt, promptList, readResource, resources, resourceTemplates } from "./promptsAndResources.ts"
import { noInput, type ToolCall, tools } from "./tools.ts"

const found = <A>(entry: A | undefined, name: string): A => {
  if (entry === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${name} is unknown`)
  return entry
}

type Arguments = Readonly<Record<string, unknown>>

const toolCall = ({ mcpReq }: ServerContext): ToolCall => ({
  log: (data) => mcpReq.log("info", data),
  report: async (progress) => {
    const progressToken = mcpReq._meta?.progressToken
    if (progressToken === undefined) return
    await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } })
  }
})

const makeServer = (notify: ServerNotifier): McpServer => {
  const mcp = new McpServer({ name: "modern-conformance-server", version: "1.0.0" }, {
    capabilities: {
      completions: {},
      logging: {},
      prompts: { listChanged: true },
      resources: {},
      tools: { listChanged: true }
    },
    requestState: { verify: askedRounds.verify }
  })
  for (const [name, { description, inputSchema = noInput, run }] of Object.entries(tools)) {
    mcp.registerTool(
      name,
      { description, inputSchema: fromJsonSchema<Arguments>(inputSchema) },
      (args, context) => run(args, toolCall(context))
    )
  }
  for (const [name, { description, inputSchema = noInput, run }] of Object.entries(modernTools)) {
    mcp.registerTool(
      name,
      { description, inputSchema: fromJsonSchema<Arguments>(inputSchema) },
      (_, context) => run(context, notify)
    )
  }
  const { server } = mcp
  const askingPrompt = { name: "test_input_required_result_prompt", description: "Asks for its context" }
  server.setRequestHandler("prompts/list", () => ({ prompts: [...promptList(), askingPrompt] }))
  server.setRequestHandler("prompts/get", ({ params: { arguments: args, name } }, context) =>
    name === askingPrompt.name
      ? ask(context, contextQuestion) ?? { messages: [{ role: "user", content: text("In context") }] }
      : { messages: found(getPrompt(name, args), name) })
  server.setRequestHandler("resources/list", () => ({ resources }))
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates }))
  server.setRequestHandler("resources/read", ({ params: { uri } }) => {
    const contents = readResource(uri)
    if (contents === undefined) throw new ResourceNotFoundError(uri)
    return { contents: [contents] }
  })
  server.setRequestHandler("completion/complete", ({ params }) => complete(params.argument.value))
  return mcp
}

/** Starts the server, which stops with its scope, and returns the URL of its MCP endpoint. */
export const modernConformanceServer: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function*() {
  const handler = createMcpHandler(() => makeServer(handler.notify))
  const serve = toNodeHandler(handler)
  const { port } = yield* listen((request, response) =>
    isLoopback(request)
      // The package's type has optional properties where Node's are `| undefined`.
      ? Effect.promise(() => serve(request as NodeIncomingMessageLike, response))
      : Effect.sync(() => response.writeHead(403).end())
  )
  yield* Effect.addFinalizer(() => Effect.promise(() => handler.close()))
  return `http://localhost:${port}/mcp`
})

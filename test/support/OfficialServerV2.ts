/**
 * An MCP server built with `@modelcontextprotocol/server` 2.x: old and new revisions at one endpoint, no sessions.
 *
 * Requests of revision 2026-07-28 are served as such, those of 2025 and before statelessly. Tools: `echo`, `add`,
 * `whoami` (the `x-auth-*` headers of the call), `slow` (progress notifications), `announce` (a change of the tool list,
 * seen on `subscriptions/listen`).
 */
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node"
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { addInput, authHeaders, echoInput, type OfficialServer, slowInput, text, walk } from "./OfficialServer.ts"

interface Hooks {
  readonly onCancelled: () => void
  readonly onAnnounce: () => void
}

const makeServer = (hooks: Hooks): McpServer => {
  const server = new McpServer({ name: "official-v2", version: "1.0.0" })
  server.registerTool("echo", { inputSchema: echoInput }, ({ message }) => text(message))
  server.registerTool("add", { inputSchema: addInput }, ({ a, b }) => text(String(a + b)))
  server.registerTool("whoami", {}, (context) => text(authHeaders(context.http?.req?.headers ?? [])))
  server.registerTool("slow", { inputSchema: slowInput }, async (input, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    const done = await walk(input, mcpReq.signal, async (progress) => {
      if (progressToken === undefined) return
      const params = { progressToken, progress, total: input.steps }
      await mcpReq.notify({ method: "notifications/progress", params })
    })
    if (done === undefined) hooks.onCancelled()
    return text(done ?? "cancelled")
  })
  server.registerTool("announce", {}, () => {
    hooks.onAnnounce()
    return text("announced")
  })
  return server
}

/** Starts the server; it stops with its scope. */
export const officialServerV2: Effect.Effect<OfficialServer, never, Scope.Scope> = Effect.gen(function*() {
  let cancelled = 0
  const handler = createMcpHandler(() =>
    makeServer({
      onCancelled: () => {
        cancelled += 1
      },
      onAnnounce: () => handler.notify.toolsChanged()
    })
  )
  const serve = toNodeHandler(handler)
  // The package's type has optional properties; Node's has `| undefined`.
  const { origin } = yield* listen((request, response) =>
    Effect.promise(() => serve(request as NodeIncomingMessageLike, response))
  )
  yield* Effect.addFinalizer(() => Effect.promise(() => handler.close()))
  return { url: `${origin}/mcp`, sessions: () => 0, cancelled: () => cancelled }
})

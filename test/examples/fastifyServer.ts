/**
 * An MCP server on Fastify with the official SDK, protected by one hook.
 *
 *     ISSUER=https://your-tenant.authkit.app PUBLIC_URL=https://mcp.example.com PORT=3000
 */
import { toNodeHandler } from "@modelcontextprotocol/node"
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import Fastify from "fastify"
import type { GatewayConfigInput } from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { fileURLToPath } from "node:url"

const makeServer = () => {
  const server = new McpServer({ name: "fastify", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ http }) => ({
    content: [{ type: "text", text: `${http?.authInfo?.extra?.["subject"]} through ${http?.authInfo?.clientId}` }]
  }))
  server.registerTool("shutdown", {}, () => ({ content: [{ type: "text", text: "shut down" }] }))
  return server
}

/** The application, and how to release what its middleware holds. */
export const makeApp = async (settings: GatewayConfigInput) => {
  const { callerOf, dispose, protect } = makeNodeMiddleware(settings, { toolScopes: { shutdown: ["admin"] } })
  const handler = createMcpHandler(makeServer)
  const serve = toNodeHandler(handler)

  const app = Fastify()
  app.get("/", () => "not protected")
  // The hook is for the routes of this plugin alone.
  await app.register(async (plugin) => {
    plugin.addHook("onRequest", (request, reply, done) => protect(request.raw, reply.raw, done))
    plugin.all("/.well-known/*", (_request, reply) => reply.code(404).send())
    plugin.get("/me", (request) => ({ subject: callerOf(request).identity.subject }))
    plugin.all("/mcp", async (request, reply) => {
      reply.hijack()
      await serve(Object.assign(request.raw, { method: request.method, url: request.url }), reply.raw, request.body)
    })
  })
  app.addHook("onClose", async () => {
    await handler.close()
    await dispose()
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ISSUER, PORT, PUBLIC_URL } = process.env
  const app = await makeApp({ jwt_issuer: ISSUER, jwt_audience: "auto", public_url: PUBLIC_URL })
  await app.listen({ port: Number(PORT ?? 3000) })
  process.once("SIGTERM", () => app.close())
}

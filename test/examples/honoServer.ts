/** An MCP server on Hono, for Node, Bun, Deno and Workers alike. */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import { Hono } from "hono"
import type { GatewayConfigInput } from "mcp-authorizer"
import { makeHonoMiddleware } from "mcp-authorizer/middleware/HonoMiddleware"

const makeServer = () => {
  const server = new McpServer({ name: "hono", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ http }) => ({
    content: [{ type: "text", text: String(http?.authInfo?.extra?.["subject"]) }]
  }))
  server.registerTool("shutdown", {}, () => ({ content: [{ type: "text", text: "shut down" }] }))
  return server
}

/** The application, and how to release what its middleware holds. */
export const makeApp = (settings: GatewayConfigInput) => {
  const { dispose, protect } = makeHonoMiddleware(settings, { toolScopes: { shutdown: ["admin"] } })
  const { fetch } = createMcpHandler(makeServer)

  const app = new Hono()
    .get("/", (c) => c.text("not protected"))
    .use("/.well-known/*", protect)
    .use("/mcp", protect)
    .get("/me", protect, (c) => c.json({ subject: c.var.identity.subject, scopes: c.var.auth.scopes }))
    .all("/mcp", (c) => fetch(c.req.raw, { authInfo: c.var.auth }))
  return { app, dispose }
}

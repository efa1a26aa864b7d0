/** An MCP server on Hono, for Node, Bun, Deno and Workers alike. */
import { Hono } from "hono"
import { type GatewayConfigInput, makeFetchMiddleware } from "mcp-authorizer"
import { serveTools, toolScopes } from "./webTools.ts"

/** The application, and how to let go of what it holds. */
export const makeApp = (settings: GatewayConfigInput) => {
  const { dispose, protect } = makeFetchMiddleware(settings, { toolScopes })
  const mcp = protect(serveTools)

  const app = new Hono()
  app.get("/", ({ text }) => text("not protected"))
  app.all("/mcp", ({ req }) => mcp(req.raw))
  app.all("/.well-known/*", ({ req }) => mcp(req.raw))
  return { app, dispose }
}

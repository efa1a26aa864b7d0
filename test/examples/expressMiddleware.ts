/**
 * An MCP server on Express with the official SDK, protected by one middleware: challenges, discovery, rules and sessions.
 *
 *     ISSUER=https://your-tenant.authkit.app PUBLIC_URL=https://mcp.example.com PORT=3000
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import express, { type Request, type Response } from "express"
import type { GatewayConfigInput } from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { fileURLToPath } from "node:url"

const makeServer = () => {
  const server = new McpServer({ name: "express", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ authInfo }) => ({
    content: [{ type: "text", text: `${authInfo?.extra?.["subject"]} through ${authInfo?.clientId}` }]
  }))
  server.registerTool("shutdown", {}, () => ({ content: [{ type: "text", text: "shut down" }] }))
  return server
}

// Without sessions: the caller is known from this request alone.
const serve = async (request: Request, response: Response) => {
  const transport = new StreamableHTTPServerTransport()
  const server = makeServer()
  response.on("close", () => server.close())
  // The SDK's class has accessors of type `| undefined` where its own interface has optional properties.
  await server.connect(transport as Transport)
  await transport.handleRequest(request, response, request.body)
}

/** The application, and how to release what its middleware holds. */
export const makeApp = (settings: GatewayConfigInput) => {
  const { dispose, protect } = makeNodeMiddleware(settings, { toolScopes: { shutdown: ["admin"] } })

  const app = express()
  app.get("/", (_request, response) => void response.send("not protected"))
  app.use(["/mcp", "/.well-known"], protect)
  app.post("/mcp", express.json(), (request, response) => serve(request, response))
  app.all("/mcp", (_request, response) => {
    response.status(405).set("allow", "POST").end()
  })
  return { app, dispose }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ISSUER, PORT, PUBLIC_URL } = process.env
  const { app, dispose } = makeApp({ jwt_issuer: ISSUER, jwt_audience: "auto", public_url: PUBLIC_URL })
  const server = app.listen(Number(PORT ?? 3000))
  process.once("SIGTERM", () => server.close(dispose))
}

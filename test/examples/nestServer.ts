/**
 * An MCP server on Nest with the official SDK, protected by one middleware.
 *
 *     ISSUER=https://your-tenant.authkit.app PUBLIC_URL=https://mcp.example.com PORT=3000
 */
import { toNodeHandler } from "@modelcontextprotocol/node"
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import { All, Controller, Get, Module, Req, Res } from "@nestjs/common"
import { NestFactory } from "@nestjs/core"
import type { Request, Response } from "express"
import type { GatewayConfigInput } from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { fileURLToPath } from "node:url"

const makeServer = () => {
  const server = new McpServer({ name: "nest", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ http }) => ({
    content: [{ type: "text", text: `${http?.authInfo?.extra?.["subject"]} through ${http?.authInfo?.clientId}` }]
  }))
  server.registerTool("shutdown", {}, () => ({ content: [{ type: "text", text: "shut down" }] }))
  return server
}

const serve = toNodeHandler(createMcpHandler(makeServer))

class McpController {
  hello() {
    return "not protected"
  }
  mcp(request: Request, response: Response) {
    return serve(request, response, request.body)
  }
}

// oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
class AppModule {}

// Decorators as functions, for compilers without `experimentalDecorators`. With it: `@Controller()` above the class, and so on.
const decorate = (method: "hello" | "mcp", ...decorators: ReadonlyArray<MethodDecorator>) => {
  const descriptor = Object.getOwnPropertyDescriptor(McpController.prototype, method)
  for (const decorator of decorators) {
    if (descriptor !== undefined) decorator(McpController.prototype, method, descriptor)
  }
}
Req()(McpController.prototype, "mcp", 0)
Res()(McpController.prototype, "mcp", 1)
decorate("hello", Get("/"))
decorate("mcp", All("/mcp"))
Controller()(McpController)
Module({ controllers: [McpController] })(AppModule)

/** The application, and how to release what its middleware holds. */
export const makeApp = async (settings: GatewayConfigInput) => {
  const { dispose, protect } = makeNodeMiddleware(settings, { toolScopes: { shutdown: ["admin"] } })
  const app = await NestFactory.create(AppModule, { logger: false })
  app.use(["/mcp", "/.well-known"], protect)
  return { app, dispose }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ISSUER, PORT, PUBLIC_URL } = process.env
  const { app, dispose } = await makeApp({ jwt_issuer: ISSUER, jwt_audience: "auto", public_url: PUBLIC_URL })
  await app.listen(Number(PORT ?? 3000))
  process.once("SIGTERM", () => app.close().then(dispose))
}

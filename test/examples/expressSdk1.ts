/**
 * An MCP server on Express with the official SDK 1.x that verifies tokens itself, without a gateway in front.
 *
 *     ISSUER=https://your-tenant.authkit.app MCP_URL=https://mcp.example.com/mcp PORT=3000
 */
import * as sdk from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter
} from "@modelcontextprotocol/sdk/server/auth/router.js"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { OAuthMetadata } from "@modelcontextprotocol/sdk/shared/auth.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import express, { type Request, type Response } from "express"
import { makeOAuthTokenVerifier } from "mcp-authorizer"
import { fileURLToPath } from "node:url"

const makeServer = () => {
  const server = new McpServer({ name: "express-sdk-1", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ authInfo }) => ({
    content: [{ type: "text", text: `${authInfo?.extra?.["subject"]} through ${authInfo?.clientId}` }]
  }))
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

/** The application, and the function that releases the resources of its verifier. */
export const makeApp = async (issuer: string, url: URL) => {
  const verifier = makeOAuthTokenVerifier({
    public_url: url.origin,
    path: url.pathname,
    providers: [{ type: "oidc", issuer, audience: ["auto"] }]
  }, sdk)
  const scopes = ["mcp:read"]
  const metadata: OAuthMetadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const protect = requireBearerAuth({
    verifier,
    requiredScopes: scopes,
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url)
  })

  const app = express()
  app.use(mcpAuthMetadataRouter({ oauthMetadata: metadata, resourceServerUrl: url, scopesSupported: scopes }))
  app.post(url.pathname, protect, express.json(), (request, response) => serve(request, response))
  app.all(url.pathname, protect, (_request, response) => {
    response.status(405).set("allow", "POST").end()
  })
  return { app, dispose: verifier.dispose }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ISSUER = "", MCP_URL = "", PORT } = process.env
  const { app, dispose } = await makeApp(ISSUER, new URL(MCP_URL))
  const server = app.listen(Number(PORT ?? 3000))
  process.once("SIGTERM", () => server.close(dispose))
}

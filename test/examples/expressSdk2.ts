/**
 * An MCP server on Express with the official SDK 2.x that verifies tokens itself, without a gateway in front.
 *
 *     ISSUER=https://your-tenant.authkit.app MCP_URL=https://mcp.example.com/mcp PORT=3000
 */
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
  requireBearerAuth
} from "@modelcontextprotocol/express"
import { toNodeHandler } from "@modelcontextprotocol/node"
import { createMcpHandler, McpServer, OAuthError, type OAuthMetadata } from "@modelcontextprotocol/server"
import express from "express"
import { makeOAuthTokenVerifier } from "mcp-authorizer"
import { fileURLToPath } from "node:url"

const makeServer = () => {
  const server = new McpServer({ name: "express-sdk-2", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ http }) => ({
    content: [{ type: "text", text: `${http?.authInfo?.extra?.["subject"]} through ${http?.authInfo?.clientId}` }]
  }))
  return server
}

/** The application, and the function that releases its resources. */
export const makeApp = async (issuer: string, url: URL) => {
  const verifier = makeOAuthTokenVerifier({
    public_url: url.origin,
    path: url.pathname,
    providers: [{ type: "oidc", issuer, audience: ["auto"] }]
  }, { OAuthError })
  const scopes = ["mcp:read"]
  const metadata: OAuthMetadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const handler = createMcpHandler(makeServer)

  const app = express()
  app.use(mcpAuthMetadataRouter({ oauthMetadata: metadata, resourceServerUrl: url, scopesSupported: scopes }))
  app.all(
    url.pathname,
    requireBearerAuth({
      verifier,
      requiredScopes: scopes,
      resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url)
    }),
    toNodeHandler(handler)
  )
  const dispose = async () => {
    await handler.close()
    await verifier.dispose()
  }
  return { app, dispose }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ISSUER = "", MCP_URL = "", PORT } = process.env
  const { app, dispose } = await makeApp(ISSUER, new URL(MCP_URL))
  const server = app.listen(Number(PORT ?? 3000))
  process.once("SIGTERM", () => server.close(dispose))
}

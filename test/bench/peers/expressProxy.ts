/**
 * A gateway put together from common packages: Express, the official SDK's `requireBearerAuth`,
 * `http-proxy-middleware`.
 *
 * The verifier is the one that documentation shows, `jose` with a remote key set: it verifies a token each time.
 * `NODE_ENV` is `production`.
 */
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import express from "express"
import { createProxyMiddleware } from "http-proxy-middleware"
import { createRemoteJWKSet, jwtVerify } from "jose"
import { Agent } from "node:http"
import { argv } from "node:process"

const [, , port, upstream = "", issuer = "", jwksUri = "", audience = ""] = argv

const keys = createRemoteJWKSet(new URL(jwksUri))

const verifyAccessToken = async (token: string) => {
  const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ["RS256"] }).catch(() => {
    // Anything else becomes a 500.
    throw new InvalidTokenError("Invalid token")
  })
  const scopes = typeof payload["scope"] === "string" ? payload["scope"].split(" ") : []
  return { token, clientId: String(payload["client_id"]), scopes, expiresAt: payload.exp ?? 0 }
}

const app = express()
// A superfluous field of each response.
app.disable("x-powered-by")
app.use("/mcp", requireBearerAuth({ verifier: { verifyAccessToken } }))
app.use(createProxyMiddleware({
  target: upstream,
  // Without it each request opens a connection of its own.
  agent: new Agent({ keepAlive: true })
}))
const server = app.listen(Number(port), "127.0.0.1")
// The value of the gateway, so that no connection is closed during a load.
server.keepAliveTimeout = 75_000

/** An MCP server with the bearer middleware of the official SDK and `jose`, which verifies the gateway's own tokens. */
import { assert, describe, it } from "@effect/vitest"
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Effect from "effect/Effect"
import express, { type Request, type Response } from "express"
import { createRemoteJWKSet, jwtVerify } from "jose"
import type { Server } from "node:http"
import { toolCall } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { ed25519Pem, keysOf, p256Pem } from "./keys.ts"

const issuer = "https://mcp.example.com"

/** As the README has it, for a gateway that is started later. */
const makeVerifier = (jwks: () => string, audience: () => string) => {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined
  return {
    verifyAccessToken: async (token: string) => {
      keys ??= createRemoteJWKSet(new URL(jwks()))
      const { payload } = await jwtVerify(token, keys, { issuer, audience: audience(), typ: "at+jwt" }).catch(() => {
        throw new InvalidTokenError("invalid token")
      })
      const { client_id: clientId, exp = 0, scope = "" } = payload
      return {
        token,
        clientId: String(clientId ?? payload.sub),
        scopes: String(scope).split(" ").filter((word) => word !== ""),
        expiresAt: exp,
        extra: { sub: payload.sub, idp: payload["idp"] }
      }
    }
  }
}

const makeServer = () => {
  const server = new McpServer({ name: "notes", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ authInfo }) => ({
    content: [{
      type: "text",
      text: `${authInfo?.extra?.["sub"]} of ${authInfo?.extra?.["idp"]} through ${authInfo?.clientId}`
    }]
  }))
  return server
}

// Without sessions: the caller is known from this request alone.
const serve = async (request: Request, response: Response) => {
  const transport = new StreamableHTTPServerTransport()
  const server = makeServer()
  response.on("close", () => void server.close())
  // The SDK's class has accessors of type `| undefined` where its own interface has optional properties.
  await server.connect(transport as Transport)
  await transport.handleRequest(request, response, request.body)
}

/** Starts the server, which finds the keys once it is told where. */
const startServer = Effect.gen(function*() {
  let jwks = ""
  let url = ""
  const app = express()
  const protect = requireBearerAuth({
    verifier: makeVerifier(() => jwks, () => url),
    requiredScopes: ["read"]
  })
  app.post("/mcp", protect, express.json(), (request, response) => void serve(request, response))
  const server = yield* Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<Server>((resolve) => {
        const server = app.listen(0, "127.0.0.1", () => resolve(server))
      })
    ),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/mcp`
  return {
    url,
    keysAt: (place: string) => {
      jwks = place
    }
  }
})

const call = (url: string, authorization: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        authorization,
        "content-type": "application/json",
        accept: "application/json, text/event-stream"
      },
      body: toolCall("whoami")
    })
    return { status: response.status, text: await response.text() }
  })

describe("a server of the official SDK that verifies with jose", () => {
  for (const [algorithm, pem] of [["EdDSA", ed25519Pem()], ["ES256", p256Pem()]] as const) {
    it.live(`knows the caller by the gateway's token (${algorithm}), and accepts no one else`, () =>
      Effect.gen(function*() {
        const server = yield* startServer
        const gateway = yield* startGateway(settings(server.url, {
          publicUrl: issuer,
          signingKeys: keysOf(pem),
          upstreamAuth: {
            _tag: "IdentityJwt",
            field: "authorization",
            issuer: undefined,
            audience: undefined,
            claims: [],
            typ: "at+jwt"
          }
        }))
        server.keysAt(`${gateway.origin}/.well-known/jwks.json`)
        const through = yield* call(`${gateway.origin}/mcp`, "Bearer dev-token")
        assert.strictEqual(through.status, 200, through.text)
        assert.include(through.text, "dev-user of static through dev-client")
        // Straight to the server, with the token of the client.
        assert.strictEqual((yield* call(server.url, "Bearer dev-token")).status, 401)
      }))
  }
})

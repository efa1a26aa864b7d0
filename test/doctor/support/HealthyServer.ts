/** An MCP server with an authorization server at one origin, both without a mistake, in which tests make one. */
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export const goodToken = "good-token-of-the-operator-0123456789"

/** A request, read. */
export interface Asked {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly text: string
  /** The method of the JSON-RPC message, if there is one. */
  readonly rpc: string | undefined
  readonly origin: string
}

export interface Told {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or an object that is sent as JSON. */
  readonly body?: object | string
}

/** Takes over the response, for what a `Told` cannot express. */
export type Taken = (response: ServerResponse) => void

/** The mistake: what to respond in place of the healthy response; `undefined` leaves it as it is. */
export type Mistake = (asked: Asked, healthy: Told) => Taken | Told | undefined

/** The CORS fields of all responses. */
export const cors = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "WWW-Authenticate, Mcp-Session-Id",
  "access-control-allow-methods": "GET, POST, DELETE",
  "access-control-allow-headers":
    "authorization, content-type, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name"
}

export const mcpPath = "/mcp"

const resource = (origin: string) => ({
  resource: `${origin}${mcpPath}`,
  authorization_servers: [origin],
  bearer_methods_supported: ["header"],
  scopes_supported: ["mcp"]
})

const metadata = (origin: string) => ({
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  registration_endpoint: `${origin}/register`,
  jwks_uri: `${origin}/jwks`,
  response_types_supported: ["code"],
  grant_types_supported: ["authorization_code", "refresh_token"],
  code_challenge_methods_supported: ["S256"],
  token_endpoint_auth_methods_supported: ["none"],
  client_id_metadata_document_supported: true,
  authorization_response_iss_parameter_supported: true,
  scopes_supported: ["mcp", "offline_access"]
})

/** A public key of P-256 with an id. */
export const publicKey = {
  kty: "EC",
  crv: "P-256",
  kid: "one",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
}

const session = "session-0123456789"

const rpc = (result: object): Told => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: { jsonrpc: "2.0", id: 1, result }
})

const rpcError = (status: number, code: number, message: string): Told => ({
  status,
  body: { jsonrpc: "2.0", id: 1, error: { code, message } }
})

const initialized = (): Told => ({
  ...rpc({
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "healthy", version: "1" }
  }),
  headers: { "content-type": "application/json", "mcp-session-id": session }
})

const eventStream: Taken = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...cors })
  response.flushHeaders()
  const beat = setInterval(() => response.write(": beat\n\n"), 50)
  response.on("close", () => clearInterval(beat))
}

/** The MCP endpoint for a caller whose token is good. */
const accepted = ({ headers, method, rpc: called }: Asked): Taken | Told => {
  if (method === "DELETE") return { status: 204 }
  if (method === "GET") return eventStream
  if (method !== "POST") return { status: 405, headers: { allow: "GET, POST, DELETE" } }
  if (called === "initialize") return initialized()
  const version = headers["mcp-protocol-version"]
  if (version !== undefined && version !== "2025-11-25") return rpcError(400, -32_000, "Unsupported protocol version")
  if (headers["mcp-session-id"] !== session) return rpcError(404, -32_001, "Session not found")
  if (called?.startsWith("notifications/") === true) return { status: 202 }
  return called === "tools/list" ? rpc({ tools: [{ name: "echo", inputSchema: { type: "object" } }] }) : rpc({})
}

const challenge = (origin: string, error: string): Told => ({
  status: 401,
  headers: {
    "www-authenticate":
      `Bearer ${error}resource_metadata="${origin}/.well-known/oauth-protected-resource${mcpPath}", scope="mcp"`
  },
  body: { error: "unauthorized" }
})

/** The response of a server without a mistake. */
export const healthy = (asked: Asked): Taken | Told => {
  const { headers, method, origin, path } = asked
  const from = headers.origin
  if (method === "OPTIONS") return { status: 204 }
  switch (path) {
    case mcpPath: {
      if (from !== undefined && !from.includes("localhost")) return { status: 403, body: { error: "origin" } }
      if (headers.authorization === undefined) return challenge(origin, "")
      return headers.authorization === `Bearer ${goodToken}`
        ? accepted(asked)
        : challenge(origin, "error=\"invalid_token\", ")
    }
    case "/.well-known/oauth-protected-resource":
    case `/.well-known/oauth-protected-resource${mcpPath}`:
      return { status: 200, body: resource(origin) }
    case "/.well-known/oauth-authorization-server":
    case "/.well-known/openid-configuration":
      return { status: 200, body: metadata(origin) }
    case "/jwks":
      return { status: 200, body: { keys: [publicKey] } }
    case "/authorize":
      return { status: 400, body: "missing client_id" }
    case "/register":
      return { status: 400, body: { error: "invalid_client_metadata" } }
    default:
      return { status: 404, body: { error: "not_found" } }
  }
}

/** Responses of JSON-RPC have the id of their request. */
export const withId = (body: Told["body"], asked: Asked): Told["body"] =>
  typeof body === "object" && "jsonrpc" in body && asked.text.startsWith("{")
    ? { ...body, id: JSON.parse(asked.text).id }
    : body

const tell = (response: ServerResponse, told: Told, asked: Asked): void => {
  const { headers, status } = told
  const body = withId(told.body, asked)
  const text = typeof body === "object" ? JSON.stringify(body) : body ?? ""
  const type = typeof body === "object" ? { "content-type": "application/json" } : {}
  response.writeHead(status, { ...cors, ...type, ...headers }).end(text)
}

const read = async (request: IncomingMessage, origin: string): Promise<Asked> => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  const message = text.startsWith("{") ? JSON.parse(text) : {}
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    text,
    rpc: message.method,
    origin
  }
}

/** A server on loopback that makes at most one mistake; returns its origin, and its requests. */
export const serveWith = (mistake: Mistake = () => undefined) =>
  Effect.gen(function*() {
    const log: Array<Asked> = []
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((request, response) => {
          const { port } = server.address() as AddressInfo // it listens on TCP
          const respond = async () => {
            const asked = await read(request, `http://127.0.0.1:${port}`)
            log.push(asked)
            const well = healthy(asked)
            const told = mistake(asked, typeof well === "function" ? { status: 200 } : well) ?? well
            if (typeof told === "function") told(response)
            else tell(response, told, asked)
          }
          respond().catch(() => response.destroy())
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo // it listens on TCP
    const origin = `http://127.0.0.1:${port}`
    return { origin, url: new URL(`${origin}${mcpPath}`), log }
  })

/** Changes members of the JSON body of a response. `undefined` removes a member. */
export const change = (told: Told, members: Readonly<Record<string, unknown>>): Told => ({
  ...told,
  body: { ...(typeof told.body === "object" ? told.body : {}), ...members }
})

/** Changes fields of a response. */
export const withFields = (told: Told, headers: Readonly<Record<string, string>>): Told => ({
  ...told,
  headers: { ...told.headers, ...headers }
})

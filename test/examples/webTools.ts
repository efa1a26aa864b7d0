/** An MCP server with the official SDK 2.x as a web handler, for the examples of platforms with `fetch`. */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import type { Identity } from "mcp-authorizer"

const makeServer = () => {
  const server = new McpServer({ name: "web-tools", version: "1.0.0" })
  server.registerTool("whoami", {}, ({ http }) => ({
    content: [{ type: "text", text: String(http?.authInfo?.extra?.["subject"]) }]
  }))
  server.registerTool("shutdown", {}, () => ({ content: [{ type: "text", text: "shut down" }] }))
  return server
}

const { fetch } = createMcpHandler(makeServer)

/** The scopes that a tool needs in addition to those that every request needs. */
export const toolScopes = (tool: string): ReadonlyArray<string> => tool === "shutdown" ? ["admin"] : []

/** Serves one request of a caller who is known. */
export const serveTools = (request: Request, { clientId = "", scopes, subject }: Identity): Promise<Response> =>
  // The server has no business with the token itself.
  fetch(request, { authInfo: { token: "", clientId, scopes: [...scopes], extra: { subject } } })

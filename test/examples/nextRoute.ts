/**
 * The routes of an MCP server on Next.js, in one file. In a project of yours, `makeNextRoutes` is in a module that both
 * `route.ts` files import.
 *
 *     ISSUER=https://issuer.example.com PUBLIC_URL=https://notes.example.com
 */
import { makeNextRoutes } from "mcp-authorizer/middleware/NextRoutes"
import { serveTools, toolScopes } from "./webTools.ts"

// @effect-diagnostics processEnv:off (Next.js has settings there)
const { documents, route } = makeNextRoutes({
  jwt_issuer: process.env["ISSUER"],
  jwt_audience: "auto",
  public_url: process.env["PUBLIC_URL"]
}, { toolScopes })

/** `app/mcp/route.ts`: `export const { DELETE, GET, OPTIONS, POST } = route(serveTools)` */
export const mcpRoute = route((request, identity) => serveTools(request, identity))

/** `app/.well-known/[...document]/route.ts`: `export const { GET, HEAD, OPTIONS } = documents` */
export const documentRoute = documents

/**
 * A Next.js route handler: `app/mcp/route.ts`. `app/.well-known/[...document]/route.ts` exports the same `GET` and
 * `OPTIONS`.
 *
 *     ISSUER=https://issuer.example.com PUBLIC_URL=https://notes.example.com
 */
import { makeFetchMiddleware } from "mcp-authorizer"
import { serveTools, toolScopes } from "./webTools.ts"

// @effect-diagnostics processEnv:off (Next.js has settings there)
const { protect } = makeFetchMiddleware({
  jwt_issuer: process.env["ISSUER"],
  jwt_audience: "auto",
  public_url: process.env["PUBLIC_URL"]
}, { toolScopes })

const handler = protect(serveTools)

export { handler as DELETE, handler as GET, handler as OPTIONS, handler as POST }

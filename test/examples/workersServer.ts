/** An MCP server as a module worker, whose settings are known with the first request only. */
import { type FetchMiddleware, makeFetchMiddleware } from "mcp-authorizer"
import { serveTools, toolScopes } from "./webTools.ts"

/** The variables of the worker. */
interface Environment {
  readonly ISSUER: string
  readonly PUBLIC_URL: string
}

/** The arguments from Workers for each request. */
interface ExecutionContext {
  readonly waitUntil: (work: Promise<unknown>) => void
}

let middleware: FetchMiddleware | undefined

export default {
  fetch(request: Request, environment: Environment, context: ExecutionContext): Promise<Response> {
    middleware ??= makeFetchMiddleware({
      jwt_issuer: environment.ISSUER,
      jwt_audience: "auto",
      public_url: environment.PUBLIC_URL
    }, {
      toolScopes,
      waitUntil: (work, _environment: Environment, context: ExecutionContext) => context.waitUntil(work)
    })
    const handler = middleware.protect((request, identity, _environment: Environment, _context: ExecutionContext) =>
      serveTools(request, identity)
    )
    return handler(request, environment, context)
  }
}

/** An MCP server as a module worker, whose settings are known with the first request only. */
import { type FetchMiddleware, makeFetchMiddleware } from "mcp-authorizer"
import { serveTools, toolScopes } from "./webTools.ts"

interface Environment {
  readonly ISSUER: string
  readonly PUBLIC_URL: string
}

let middleware: FetchMiddleware | undefined

export default {
  fetch(request: Request, environment: Environment): Promise<Response> {
    middleware ??= makeFetchMiddleware({
      jwt_issuer: environment.ISSUER,
      jwt_audience: "auto",
      public_url: environment.PUBLIC_URL
    }, { toolScopes })
    return middleware.protect(serveTools)(request)
  }
}

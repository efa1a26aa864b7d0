/** The whole gateway as a Cloudflare worker, in front of an MCP server elsewhere. */
import * as Layer from "effect/Layer"
import { GatewayConfig, HttpApp, layerGateway, type WebHandler } from "mcp-authorizer"

/** The variables of the worker. */
interface Environment {
  readonly GATEWAY_URL: string
  readonly ISSUER: string
  readonly PUBLIC_URL: string
}

/** The arguments from Workers for each request. */
interface ExecutionContext {
  readonly waitUntil: (work: Promise<unknown>) => void
}

let gateway: WebHandler | undefined

export default {
  fetch(request: Request, environment: Environment, context: ExecutionContext): Promise<Response> {
    gateway ??= HttpApp.toWebHandler(layerGateway.pipe(Layer.provide(GatewayConfig.layer({
      gateway_url: environment.GATEWAY_URL,
      jwt_issuer: environment.ISSUER,
      jwt_audience: "auto",
      public_url: environment.PUBLIC_URL
    }))))
    return gateway.handler(request, context)
  }
}

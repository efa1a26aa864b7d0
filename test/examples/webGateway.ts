/** The whole gateway as a web handler, for a platform with `fetch` in front of an MCP server elsewhere. */
import * as Layer from "effect/Layer"
import { GatewayConfig, type GatewayConfigInput, HttpApp, layerGateway } from "mcp-authorizer"

/** `handler` responds to requests, `dispose` releases its resources. */
export const makeGateway = (settings: GatewayConfigInput) =>
  HttpApp.toWebHandler(layerGateway.pipe(Layer.provide(GatewayConfig.layer(settings))))

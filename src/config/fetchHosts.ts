/** Warnings for hosts that use `fetch`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "./GatewayConfig.ts"
import { perConfiguration } from "./perConfiguration.ts"

/** Warns at start that `fetch` uses the authorities of its host, so that the configured file has no effect. */
export const layerTrustOfHost: Layer.Layer<never, never, GatewayConfig> = perConfiguration(Layer.effectDiscard(
  Effect.flatMap(GatewayConfig, ({ caFile }) =>
    caFile === undefined ? Effect.void : Effect.logWarning(
      "MCP_CA_FILE has no effect here: fetch trusts the authorities that its host trusts. Add them there " +
        "(NODE_EXTRA_CA_CERTS on Node), or use the gateway of mcp-authorizer/node."
    ))
))

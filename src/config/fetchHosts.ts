/** What hosts cannot do that reach others through `fetch`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "./GatewayConfig.ts"
import { perConfiguration } from "./perConfiguration.ts"

/** Says, once at start-up, that `fetch` trusts whom its host trusts, whatever file is named. */
export const layerTrustOfHost: Layer.Layer<never, never, GatewayConfig> = perConfiguration(Layer.effectDiscard(
  Effect.flatMap(GatewayConfig, ({ caFile }) =>
    caFile === undefined ? Effect.void : Effect.logWarning(
      "MCP_CA_FILE has no effect here: fetch trusts the authorities that its host trusts. Add them there " +
        "(NODE_EXTRA_CA_CERTS on Node), or use the gateway of mcp-authorizer/node."
    ))
))

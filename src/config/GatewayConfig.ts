import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fromInput } from "./document.ts"
import type { GatewayConfigInput } from "./GatewayConfigInput.ts"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { InvalidConfiguration } from "./InvalidConfiguration.ts"
import { resolve, resolveSources } from "./resolve.ts"

/**
 * The settings of the gateway.
 *
 * Every layer fails with `InvalidConfiguration`, which holds all problems at once and no configured value.
 */
export class GatewayConfig extends Context.Service<GatewayConfig, GatewaySettings>()(
  "mcp-authorizer/config/GatewayConfig"
) {
  /** From a value, for programs that embed the gateway. */
  static readonly layer = (input: GatewayConfigInput): Layer.Layer<GatewayConfig, InvalidConfiguration> =>
    Layer.effect(GatewayConfig, Effect.suspend(() => Effect.fromResult(resolve(fromInput(input)))))

  /**
   * From variables, and behind them a config file.
   *
   * @param variables the environment, or the like of another host; all of it, so that misspelt names are found
   * @param document the config file, parsed as JSON
   */
  static readonly layerVariables = (
    variables: Readonly<Record<string, string | undefined>>,
    document?: unknown
  ): Layer.Layer<GatewayConfig, InvalidConfiguration> =>
    Layer.effect(GatewayConfig, Effect.suspend(() => Effect.fromResult(resolveSources({ variables, document }))))
}

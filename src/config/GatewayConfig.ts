import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ProviderType } from "../providers/ProviderType.ts"
import type { GatewayConfigInput } from "./GatewayConfigInput.ts"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { InvalidConfiguration } from "./InvalidConfiguration.ts"
import { perConfiguration } from "./perConfiguration.ts"
import { resolveInput, resolveSources } from "./resolve.ts"
import { variableNames } from "./sources/variables.ts"

/** Options in addition to the settings. */
export interface GatewayConfigOptions<Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>> {
  /** Provider types in addition to the gateway's own, from `makeProviderType`. */
  readonly types?: Types | undefined
}

const fromValue = (input: object, types: ReadonlyArray<ProviderType>) =>
  Effect.suspend(() => Effect.fromResult(resolveInput(input, types)))

/**
 * The settings of the gateway.
 *
 * Every layer can fail with `InvalidConfiguration`, which lists all problems and contains no configured value.
 *
 * **Example** (by value, and by `Config`)
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import { GatewayConfig } from "mcp-authorizer"
 *
 * const ByValue = GatewayConfig.layer({
 *   server_url: "http://127.0.0.1:8080/mcp",
 *   jwt_issuer: "https://issuer.example.com",
 *   jwt_audience: "https://notes.example.com/mcp"
 * })
 *
 * const ByConfig = GatewayConfig.layerConfig({
 *   jwt_issuer: Config.String("ISSUER"),
 *   jwt_audience: Config.String("AUDIENCE")
 * })
 * ```
 */
export class GatewayConfig extends Context.Service<GatewayConfig, GatewaySettings>()(
  "mcp-authorizer/config/GatewayConfig"
) {
  /**
   * The settings in TypeScript code, for programs that embed the gateway.
   *
   * `providers: []` configures no provider: use it with a verifier of your own.
   */
  static readonly layer = <const Types extends ReadonlyArray<ProviderType> = readonly []>(
    input: GatewayConfigInput<NoInfer<Types>>,
    { types }: GatewayConfigOptions<Types> = {}
  ): Layer.Layer<GatewayConfig, InvalidConfiguration> => Layer.effect(GatewayConfig, fromValue(input, types ?? []))

  /** Like `layer`, with all or some values read by `Config` under your own names. */
  static readonly layerConfig = <const Types extends ReadonlyArray<ProviderType> = readonly []>(
    input: Config.Wrap<GatewayConfigInput<NoInfer<Types>>>,
    { types }: GatewayConfigOptions<Types> = {}
  ): Layer.Layer<GatewayConfig, InvalidConfiguration | Config.ConfigError> =>
    Layer.effect(GatewayConfig, Effect.flatMap(Config.unwrap(input), (value) => fromValue(value, types ?? [])))

  /**
   * The settings in the current `ConfigProvider`, under the gateway's own names (`MCP_JWT_ISSUER`, …).
   *
   * Misspelt names are not detected, because a `ConfigProvider` cannot list its names. Use `layerVariables` if you have
   * all variables.
   */
  static readonly layerFromConfig: Layer.Layer<GatewayConfig, InvalidConfiguration | Config.ConfigError> =
    perConfiguration(Layer.effect(
      GatewayConfig,
      Effect.forEach(
        variableNames,
        (name) =>
          Effect.map(Config.option(Config.String(name)), (value) => [name, Option.getOrUndefined(value)] as const)
      ).pipe(
        Effect.flatMap((variables) => Effect.fromResult(resolveSources({ variables: Object.fromEntries(variables) })))
      )
    ))

  /**
   * The settings in variables and in a config file. Variables take precedence.
   *
   * @param variables the whole environment, or its counterpart on another host, so that misspelt names are detected
   * @param document the config file, parsed as JSON
   */
  static readonly layerVariables = (
    variables: Readonly<Record<string, string | undefined>>,
    document?: unknown,
    { types = [] }: GatewayConfigOptions = {}
  ): Layer.Layer<GatewayConfig, InvalidConfiguration> =>
    Layer.effect(
      GatewayConfig,
      Effect.suspend(() => Effect.fromResult(resolveSources({ variables, document }, { types })))
    )
}

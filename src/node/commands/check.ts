import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { describe } from "../../config/describe.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { hostWarnings } from "../hostWarnings.ts"
import * as NodeGatewayClient from "../NodeGatewayClient.ts"
import { checkProvider } from "../online/checkProvider.ts"
import { checkServer } from "../online/checkServer.ts"
import { error, type Finding } from "../online/Finding.ts"
import * as ProviderClient from "../outbound/ProviderClient.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { describeTelemetry } from "../telemetry/describeTelemetry.ts"
import { loadTelemetry } from "../telemetry/layerTelemetry.ts"
import type { ReadTelemetry } from "../telemetry/readTelemetry.ts"
import { type CommandLine, loadSettings } from "./loadSettings.ts"

/** The time limit of each check, longer than all exchanges with one provider may take; a few checks run concurrently. */
const timeout = "20 seconds"
const atATime = 16

const printSettings = (
  settings: GatewaySettings,
  { telemetry, warnings: doubts }: ReadTelemetry
): Effect.Effect<void> =>
  Effect.andThen(
    Console.log(JSON.stringify(
      telemetry === undefined ? describe(settings) : { ...describe(settings), telemetry: describeTelemetry(telemetry) },
      null,
      2
    )),
    Effect.forEach(
      [...warnings(settings), ...hostWarnings(settings), ...doubts],
      (warning) => Console.error(`warning: ${warning}`),
      { discard: true }
    )
  )

/** Runs one check with the time limit, and adds the name to its findings. */
const named = <R>(name: string, running: Effect.Effect<ReadonlyArray<Finding>, never, R>) =>
  Effect.timeoutOrElse(running, {
    duration: timeout,
    orElse: () => Effect.succeed([error(`it does not respond within ${timeout}. Check the network path to it.`)])
  }).pipe(
    Effect.map((findings) => findings.map(({ level, text }): Finding => ({ level, text: `${name}: ${text}` })))
  )

/** What findings about an MCP server begin with. */
const whoIs = ({ gatewayUrl, serverName }: GatewaySettings): string =>
  serverName === "" ? `MCP server ${gatewayUrl}` : `MCP server ${JSON.stringify(serverName)} ${gatewayUrl}`

/** The findings of everything that the gateway will send requests to. */
const checkEverything = (settings: GatewaySettings) =>
  Effect.all(
    [
      ...settings.providers.map((provider) =>
        named(`Provider ${JSON.stringify(provider.name)}`, checkProvider(settings, provider))
      ),
      ...serversOf(settings).map((server) =>
        Effect.provide(
          named(whoIs(server), checkServer(server)),
          // Its own, with its timeout; `loadSettings` has read what it is made of.
          Layer.orDie(Layer.provide(Layer.fresh(NodeGatewayClient.layer), Layer.succeed(GatewayConfig, server)))
        )
      )
    ],
    { concurrency: atATime }
  ).pipe(
    Effect.map((findings) => findings.flat()),
    // The same services as the gateway's, so that its proxies, authorities and permissions apply.
    Effect.provide(
      ProviderMetadata.layer.pipe(
        Layer.provideMerge(ProviderHttp.layer),
        Layer.provide(ProviderClient.layer),
        Layer.provide(Layer.succeed(GatewayConfig, settings)),
        // The findings have everything that a log would.
        Layer.provideMerge(Logger.layer([]))
      )
    ),
    // `loadSettings` has already read their sources.
    Effect.orDie
  )

const checkOnline = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const findings = yield* checkEverything(settings)
  for (const { level, text } of findings) yield* Console.error(`${level}: ${text}`)
  if (findings.some(({ level }) => level === "error")) return yield* new StartupFailed()
})

/**
 * `mcp-authorizer --check`: prints the effective settings, without secrets, and warnings about unwise ones.
 *
 * With `online`, it also sends requests to each provider and the MCP server, as the gateway would, and prints the results
 * to standard error, one line each. Fails if a problem would make requests fail. Takes about 20 seconds at most.
 */
export const check = Effect.fnUntraced(function*(
  options: CommandLine & { readonly online: boolean }
): Effect.fn.Return<void, StartupFailed> {
  const { settings } = yield* loadSettings(options)
  yield* printSettings(settings, yield* Effect.orDie(loadTelemetry))
  if (options.online) yield* checkOnline(settings)
})

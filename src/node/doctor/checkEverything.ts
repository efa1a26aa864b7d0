import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { checkFacade } from "../../doctor/online/checkFacade.ts"
import { checkProvider } from "../../doctor/online/checkProvider.ts"
import { checkServer } from "../../doctor/online/checkServer.ts"
import { error, type OnlineFinding } from "../../doctor/online/OnlineFinding.ts"
import { facadeProvider } from "../../facade/places.ts"
import { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import * as NodeGatewayClient from "../NodeGatewayClient.ts"
import * as ProviderClient from "../outbound/ProviderClient.ts"

/**
 * The time limit of each check. It is longer than all exchanges with one provider may take; a few checks run
 * concurrently.
 */
const timeout = "20 seconds"
const atATime = 16

/** Runs one check with the time limit, and adds the name to its findings. */
const named = <R>(name: string, running: Effect.Effect<ReadonlyArray<OnlineFinding>, never, R>) =>
  Effect.timeoutOrElse(running, {
    duration: timeout,
    orElse: () => Effect.succeed([error(`it does not respond within ${timeout}. Check the network path to it.`)])
  }).pipe(
    Effect.map((findings) => findings.map(({ level, text }): OnlineFinding => ({ level, text: `${name}: ${text}` })))
  )

/** The beginning of findings about an MCP server. */
const whoIs = ({ gatewayUrl, serverName }: GatewaySettings): string =>
  serverName === "" ? `MCP server ${gatewayUrl}` : `MCP server ${JSON.stringify(serverName)} ${gatewayUrl}`

/**
 * Returns the findings about everything that the gateway sends requests to: the providers, including what their facades
 * need, and the MCP servers.
 *
 * @param settings the settings, whose sources `loadSettings` has read
 */
export const checkEverything = (settings: GatewaySettings, servers: ReadonlyArray<GatewaySettings>) =>
  Effect.all(
    [
      ...settings.providers.map((provider) =>
        named(`Provider ${JSON.stringify(provider.name)}`, checkProvider(settings, provider))
      ),
      ...servers.flatMap((server) => {
        const provider = facadeProvider(server)
        return provider === undefined ? [] : [
          named(
            `Facade of ${JSON.stringify(provider.name)}${server.serverName === "" ? "" : ` for ${server.serverName}`}`,
            checkFacade(server, provider)
          )
        ]
      }),
      ...servers.map((server) =>
        Effect.provide(
          named(whoIs(server), checkServer(server)),
          // Each server has its own client, with its timeout. It cannot fail: `loadSettings` has read all of its files.
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
        // Nothing is logged, because the findings contain all of it.
        Layer.provideMerge(Logger.layer([]))
      )
    ),
    // Cannot fail: `loadSettings` has already read all sources.
    Effect.orDie
  )

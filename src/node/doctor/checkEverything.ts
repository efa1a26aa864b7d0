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

/** The time limit of each check, longer than all exchanges with one provider may take; a few checks run concurrently. */
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

/** What findings about an MCP server begin with. */
const whoIs = ({ gatewayUrl, serverName }: GatewaySettings): string =>
  serverName === "" ? `MCP server ${gatewayUrl}` : `MCP server ${JSON.stringify(serverName)} ${gatewayUrl}`

/**
 * The findings about everything that the gateway sends requests to: the providers of the settings, what facades need of them, and MCP
 * servers.
 *
 * @param settings their sources must have been read, by `loadSettings`
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

import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { describe } from "../../config/describe.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { hostWarnings } from "../hostWarnings.ts"
import * as NodeGatewayClient from "../NodeGatewayClient.ts"
import { askProvider } from "../online/askProvider.ts"
import { askServer } from "../online/askServer.ts"
import { error, type Finding } from "../online/Finding.ts"
import * as ProviderClient from "../outbound/ProviderClient.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { type CommandLine, loadSettings } from "./loadSettings.ts"

/** Longer than all the exchanges with one provider may take; so long the whole takes at most, a few of them at a time. */
const patience = "20 seconds"
const atATime = 16

const printSettings = (settings: GatewaySettings): Effect.Effect<void> =>
  Effect.andThen(
    Console.log(JSON.stringify(describe(settings), null, 2)),
    Effect.forEach(
      [...warnings(settings), ...hostWarnings(settings)],
      (warning) => Console.error(`warning: ${warning}`),
      { discard: true }
    )
  )

/** What one of them says, in time and with its name. */
const named = <R>(who: string, asked: Effect.Effect<ReadonlyArray<Finding>, never, R>) =>
  Effect.timeoutOrElse(asked, {
    duration: patience,
    orElse: () => Effect.succeed([error(`it does not answer within ${patience}. Check the way there.`)])
  }).pipe(
    Effect.map((findings) => findings.map(({ level, text }): Finding => ({ level, text: `${who}: ${text}` })))
  )

/** What everybody says whom the gateway will ask. */
const askEveryone = (settings: GatewaySettings) =>
  Effect.all(
    [
      ...settings.providers.map((provider) =>
        named(`Provider ${JSON.stringify(provider.name)}`, askProvider(settings, provider))
      ),
      named(`MCP server ${settings.gatewayUrl}`, askServer(settings))
    ],
    { concurrency: atATime }
  ).pipe(
    Effect.map((findings) => findings.flat()),
    // The same services as the gateway's, so that its proxies, authorities and permissions count.
    Effect.provide(
      Layer.mergeAll(ProviderMetadata.layer.pipe(Layer.provideMerge(ProviderHttp.layer)), NodeGatewayClient.layer).pipe(
        Layer.provide(ProviderClient.layer),
        Layer.provide(Layer.succeed(GatewayConfig, settings)),
        // The findings say it all.
        Layer.provideMerge(Logger.layer([]))
      )
    ),
    // `loadSettings` has read what they are made of.
    Effect.orDie
  )

const checkOnline = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const findings = yield* askEveryone(settings)
  for (const { level, text } of findings) yield* Console.error(`${level}: ${text}`)
  if (findings.some(({ level }) => level === "error")) return yield* new StartupFailed()
})

/**
 * `mcp-authorizer --check`: prints the settings as they are understood, without secrets, and what is unwise in them.
 *
 * With `online` it also asks each provider and the MCP server, as the gateway would, and prints what it found to standard
 * error, one line each; fails if something would keep requests from being answered. Takes 20 seconds or so at most.
 */
export const check = Effect.fnUntraced(function*(
  options: CommandLine & { readonly online: boolean }
): Effect.fn.Return<void, StartupFailed> {
  const { settings } = yield* loadSettings(options)
  yield* printSettings(settings)
  if (options.online) yield* checkOnline(settings)
})

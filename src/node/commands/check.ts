import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { describe } from "../../config/describe.ts"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { checkEverything } from "../doctor/checkEverything.ts"
import { hostWarnings } from "../hostWarnings.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { describeTelemetry } from "../telemetry/describeTelemetry.ts"
import { loadTelemetry } from "../telemetry/layerTelemetry.ts"
import type { ReadTelemetry } from "../telemetry/readTelemetry.ts"
import { type CommandLine, loadSettings } from "./loadSettings.ts"

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

const checkOnline = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const findings = yield* checkEverything(settings, serversOf(settings))
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

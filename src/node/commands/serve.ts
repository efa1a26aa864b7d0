import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { describe } from "../../config/describe.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import { runWorkers } from "../workers/primary.ts"
import { launch } from "./launch.ts"
import { loadSettings } from "./loadSettings.ts"
import type { StartupFailed } from "./StartupFailed.ts"

/** Prints the settings as they are understood, without secrets, and what is unwise in them. */
const check = (settings: GatewaySettings): Effect.Effect<void> =>
  Effect.andThen(
    Console.log(JSON.stringify(describe(settings), null, 2)),
    Effect.forEach(warnings(settings), (warning) => Console.error(`warning: ${warning}`), { discard: true })
  )

/** `mcp-authorizer`: the service proper, or with `check` only a look at its settings. */
export const serve = Effect.fnUntraced(function*(
  options: {
    readonly config: Option.Option<string>
    readonly workers: Option.Option<string>
    readonly check: boolean
  }
): Effect.fn.Return<void, StartupFailed> {
  const flags = Option.match(options.workers, { onNone: () => ({}), onSome: (MCP_WORKERS) => ({ MCP_WORKERS }) })
  const { settings, sources } = yield* loadSettings(options.config, flags)
  if (options.check) return yield* check(settings)
  const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
  return yield* workers === 1
    ? launch(Layer.provide(NodeGateway.layer(), layerLogging(settings)), settings)
    : runWorkers({ settings, sources, workers })
})

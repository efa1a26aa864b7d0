import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import { runWorkers } from "../workers/primary.ts"
import { printSettings } from "./check.ts"
import { launch } from "./launch.ts"
import { loadSettings } from "./loadSettings.ts"
import type { StartupFailed } from "./StartupFailed.ts"

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
  if (options.check) return yield* printSettings(settings)
  const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
  return yield* workers === 1
    ? launch(Layer.provide(NodeGateway.layer(), layerLogging(settings)), settings)
    : runWorkers({ settings, sources, workers })
})

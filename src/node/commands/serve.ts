import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { availableParallelism } from "node:os"
import { launch } from "../launch.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import type { StartupFailed } from "../StartupFailed.ts"
import { runWorkers } from "../workers/primary.ts"
import { type CommandLine, loadSettings } from "./loadSettings.ts"

/** `mcp-authorizer`: runs the service. */
export const serve = Effect.fnUntraced(function*(options: CommandLine): Effect.fn.Return<void, StartupFailed> {
  const { settings, sources } = yield* loadSettings(options)
  const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
  return yield* workers === 1
    ? launch(Layer.provide(NodeGateway.layer(), layerLogging(settings)), settings)
    : runWorkers({ settings, sources, workers })
})

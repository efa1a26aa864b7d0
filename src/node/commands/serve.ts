import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { availableParallelism } from "node:os"
import { launch } from "../launch.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import { layerReloading } from "../reload/layerReloading.ts"
import { makeTriggers } from "../reload/triggers.ts"
import type { StartupFailed } from "../StartupFailed.ts"
import { layerTelemetry } from "../telemetry/layerTelemetry.ts"
import { runWorkers } from "../workers/primary.ts"
import { type CommandLine, loadSettings } from "./loadSettings.ts"

/** `mcp-authorizer`: runs the service. */
export const serve = Effect.fnUntraced(
  function*(options: CommandLine): Effect.fn.Return<void, StartupFailed, Scope.Scope> {
    // Installed before the configuration is read, so that no signal is lost.
    const triggers = yield* makeTriggers
    const loaded = yield* loadSettings(options)
    const { settings } = loaded
    const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
    if (workers > 1) return yield* runWorkers({ loaded, options, triggers, workers })
    const gateway = NodeGateway.layerWith({ reloading: layerReloading(options, loaded, triggers) })
    return yield* launch(
      Layer.effectDiscard(NodeGateway.announceServer).pipe(
        Layer.provide(gateway),
        Layer.provide(layerTelemetry()),
        Layer.provide(layerLogging(settings))
      ),
      settings
    )
  },
  Effect.scoped
)

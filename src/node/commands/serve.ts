import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { describe } from "../../config/describe.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import { loadSettings } from "./loadSettings.ts"
import { StartupFailed } from "./StartupFailed.ts"

/** Prints the settings as they are understood, without secrets, and what is unwise in them. */
const check = (settings: GatewaySettings): Effect.Effect<void> =>
  Effect.andThen(
    Console.log(JSON.stringify(describe(settings), null, 2)),
    Effect.forEach(warnings(settings), (warning) => Console.error(`warning: ${warning}`), { discard: true })
  )

const code = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "unknown reason"

/** Runs the gateway until the process is told to stop. */
const run = (settings: GatewaySettings): Effect.Effect<never, StartupFailed> =>
  Layer.launch(
    NodeGateway.layer().pipe(
      Layer.provide(Layer.succeed(GatewayConfig, settings)),
      Layer.provide(layerLogging(settings))
    )
  ).pipe(
    Effect.catchTags({
      ServeError: ({ cause }) =>
        Effect.andThen(
          Console.error(`Cannot listen on ${settings.host}:${settings.port} (${code(cause)}). Set HOST or PORT.`),
          Effect.fail(new StartupFailed())
        ),
      // `loadSettings` has imported the keys already.
      UnusablePublicKey: Effect.die
    })
  )

/** `mcp-authorizer`: the service proper, or with `check` only a look at its settings. */
export const serve = Effect.fnUntraced(function*(
  options: { readonly config: Option.Option<string>; readonly check: boolean }
): Effect.fn.Return<void, StartupFailed, FileSystem.FileSystem> {
  const settings = yield* loadSettings(options.config)
  return yield* options.check ? check(settings) : run(settings)
})

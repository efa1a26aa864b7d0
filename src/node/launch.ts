import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import { errorCode } from "./errorCode.ts"
import { StartupFailed } from "./StartupFailed.ts"

/** Runs a gateway with these settings until the process is stopped. Prints an error if it cannot listen. */
export const launch = (
  gateway: Layer.Layer<never, ServeError | UnusablePublicKey | InvalidConfiguration, GatewayConfig>,
  settings: GatewaySettings
): Effect.Effect<never, StartupFailed> =>
  Layer.launch(Layer.provide(gateway, Layer.succeed(GatewayConfig, settings))).pipe(
    Effect.catchTags({
      ServeError: ({ cause }) =>
        Effect.andThen(
          Console.error(`Cannot listen on ${settings.host}:${settings.port} (${errorCode(cause)}). Set HOST or PORT.`),
          Effect.fail(new StartupFailed())
        ),
      // A file may have changed since `loadSettings` read it.
      InvalidConfiguration: ({ message }) => Effect.andThen(Console.error(message), Effect.fail(new StartupFailed())),
      // `loadSettings` has already imported the keys.
      UnusablePublicKey: Effect.die
    })
  )

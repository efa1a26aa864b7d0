import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { describe } from "../../config/describe.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { warnings } from "../../config/warnings.ts"
import { hostWarnings } from "../hostWarnings.ts"

/** Prints the settings as they are understood, without secrets, and what is unwise in them. */
export const printSettings = (settings: GatewaySettings): Effect.Effect<void> =>
  Effect.andThen(
    Console.log(JSON.stringify(describe(settings), null, 2)),
    Effect.forEach(
      [...warnings(settings), ...hostWarnings(settings)],
      (warning) => Console.error(`warning: ${warning}`),
      { discard: true }
    )
  )

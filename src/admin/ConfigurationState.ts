import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { ConfigurationStatus } from "./page/Status.ts"

/** How reloads went; `undefined` in programs that never reload. */
export const ConfigurationState = Context.Reference<Effect.Effect<ConfigurationStatus | undefined>>(
  "mcp-authorizer/admin/ConfigurationState",
  { defaultValue: () => Effect.undefined }
)

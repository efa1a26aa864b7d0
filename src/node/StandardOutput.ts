import * as Context from "effect/Context"
import type { WriteLine } from "./logWriter.ts"

/** The one writer of lines to standard output, where this process has one already. */
export const StandardOutput = Context.Reference<WriteLine | undefined>("mcp-authorizer/node/StandardOutput", {
  defaultValue: () => undefined
})

import * as Context from "effect/Context"
import type { WriteLine } from "./logWriter.ts"

/** The writer of lines to standard output, if this process already has one. */
export const StandardOutput = Context.Reference<WriteLine | undefined>("mcp-authorizer/node/StandardOutput", {
  defaultValue: () => undefined
})

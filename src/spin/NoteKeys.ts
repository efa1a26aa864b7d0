import * as Context from "effect/Context"
import type { UsedKeys } from "./storedVerdict.ts"

/** Is told which published keys a token is verified with, for those who want to know how long a verdict holds. */
export const NoteKeys = Context.Reference<(keys: UsedKeys) => void>("mcp-authorizer/spin/NoteKeys", {
  defaultValue: () => () => undefined
})

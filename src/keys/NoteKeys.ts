import * as Context from "effect/Context"

/** The keys of an issuer that a token was verified with: the entry that they stand in, and what they were. */
export interface UsedKeys {
  readonly entry: string
  /** Of the whole set: as long as it is the same, the key is still published. */
  readonly digest: string
}

/** Is told which published keys a token is verified with, for those who want to know how long a verdict holds. */
export const NoteKeys = Context.Reference<(keys: UsedKeys) => void>("mcp-authorizer/keys/NoteKeys", {
  defaultValue: () => () => undefined
})

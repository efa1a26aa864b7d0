import type { Kind } from "../kinds/kind.ts"

/** The values on which the default of a setting may depend. */
export interface Surroundings {
  readonly host: string
  /** The scopes that the gateway, any of its providers or any of its rules requires. */
  readonly everyRequiredScope: ReadonlyArray<string>
}

/** One setting, named by its key in the table: the canonical name of its variable. */
export interface Setting<out A = unknown> {
  readonly kind: Kind<A>
  /** One sentence for the reference, the JSON Schema and editors, in Markdown. */
  readonly doc: string
  /** Its name in `GatewaySettings`; its member of the file in camel case unless given. */
  readonly property?: string
  /** The former name of the setting: accepted as a variable, and as a member of the config file. */
  readonly formerly?: `MCP_${string}`
  /** Other spellings of the variable. */
  readonly aliases?: ReadonlyArray<string>
  /** As one would write it in a variable. */
  readonly default?: string
  /** What the gateway uses where it is not given and has no fixed default; `undefined` unless there is this. */
  readonly absent?: (surroundings: Surroundings) => unknown
  /** What happens without a value, where that is not a fixed default. */
  readonly otherwise?: string
  /** The value, or a part of it, must not be shown. */
  readonly secret?: true
  /** Only a part of it is secret, and its kind shows the rest. */
  readonly partlyShown?: true
  /** May be given by a file although it is not a secret: `MCP_JWT_PUBLIC_KEY_FILE`. */
  readonly inFile?: true
  readonly variableOnly?: true
  /** Takes effect at start only: a reload that would change it is rejected as a whole. */
  readonly atStart?: true
  /**
   * An entry of `servers` may have its own value, under the setting's name in the file or under this one. What an entry
   * leaves out it inherits.
   */
  readonly perServer?: true | string
}

/** An empty list, for every kind of list. */
export const none = (): ReadonlyArray<never> => []

import type { Kind } from "../kinds/kind.ts"

/** The values on which the default of a setting may depend. */
export interface Surroundings {
  readonly host: string
  /** The scopes that the gateway, any of its providers or any of its rules requires. */
  readonly everyRequiredScope: ReadonlyArray<string>
}

/** One setting. Its key in the table is the canonical name of its variable. */
export interface Setting<out A = unknown> {
  readonly kind: Kind<A>
  /** One sentence for the reference, the JSON Schema and editors, in Markdown. */
  readonly doc: string
  /** The property in `GatewaySettings`. Default: the member of the config file in camel case. */
  readonly property?: string
  /** The former name of the setting: accepted as a variable, and as a member of the config file. */
  readonly formerly?: `MCP_${string}`
  /** Other spellings of the variable. */
  readonly aliases?: ReadonlyArray<string>
  /** The default, written like the value of a variable. */
  readonly default?: string
  /** Derives the value in use if none is given and there is no fixed default. */
  readonly absent?: (surroundings: Surroundings) => unknown
  /** Describes the default if it is not a fixed value. */
  readonly otherwise?: string
  /** Whether the value, or a part of it, must not be shown. */
  readonly secret?: true
  /** Whether only a part of it is secret, and its kind shows the rest. */
  readonly partlyShown?: true
  /** Whether it may be read from a file although it is not a secret: `MCP_JWT_PUBLIC_KEY_FILE`. */
  readonly inFile?: true
  readonly variableOnly?: true
  /** Whether it takes effect only at start: a reload that would change it is rejected. */
  readonly atStart?: true
  /**
   * Whether an entry of `servers` may have its own value: under the setting's name in the file, or under this name.
   * Otherwise the entry inherits the gateway's value.
   */
  readonly perServer?: true | string
}

/** An empty list, as a default for every kind of list. */
export const none = (): ReadonlyArray<never> => []

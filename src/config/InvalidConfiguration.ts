import * as Data from "effect/Data"

/** What is wrong with a value, and how to fix it. Neither text ever contains the value itself. */
export interface Mistake {
  readonly problem: string
  readonly fix: string
}

/** A mistake about one setting. */
export interface Problem extends Mistake {
  /** The canonical name: `MCP_JWT_ISSUER`, `MCP_PROVIDERS[1].issuer`. */
  readonly setting: string
  /** The name under which the value was given, if it is another one: `AUTHKIT_DOMAIN`. */
  readonly source: string | undefined
}

/** One problem in one line. */
export const problemLine = ({ fix, problem, setting, source }: Problem): string => {
  const name = source === undefined ? setting : `${setting} (given as ${source})`
  return `${name}: ${problem}. ${fix}${fix.endsWith("?") ? "" : "."}`
}

/**
 * All problems of the configuration.
 *
 * The message is meant for the operator: one line for each problem, with its fix and without any configured value.
 */
export class InvalidConfiguration extends Data.TaggedError("InvalidConfiguration")<{
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    const count = this.problems.length
    return [
      `Invalid configuration, ${count} ${count === 1 ? "problem" : "problems"}:`,
      ...this.problems.map(problemLine)
    ]
      .join("\n  ")
  }
}

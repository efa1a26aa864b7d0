import * as Data from "effect/Data"

/** What is wrong with a value, and what would mend it. Neither text ever holds the value itself. */
export interface Complaint {
  readonly problem: string
  readonly cure: string
}

/** A complaint about one setting. */
export interface Problem extends Complaint {
  /** The canonical name: `MCP_JWT_ISSUER`, `MCP_PROVIDERS[1].issuer`. */
  readonly setting: string
  /** How the value was given, where that is not the canonical name: `AUTHKIT_DOMAIN`. */
  readonly source: string | undefined
}

/** One problem in one line. */
export const problemLine = ({ cure, problem, setting, source }: Problem): string => {
  const name = source === undefined ? setting : `${setting} (given as ${source})`
  return `${name}: ${problem}. ${cure}${cure.endsWith("?") ? "" : "."}`
}

/**
 * Everything that is wrong with the configuration, at once.
 *
 * The message is meant for the operator: one line for each problem, with its cure and without any configured value.
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

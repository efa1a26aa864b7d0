/** Reads variables by the rules of OpenTelemetry, and collects their problems. Pure. */
import type { Problem } from "../../config/InvalidConfiguration.ts"

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Names and values. */
export type Fields = Readonly<Record<string, string>>

/** A variable that is set. */
interface Variable {
  readonly name: string
  readonly value: string
}

/** Reads variables. Problems never contain a value, because a value may be a secret. */
export interface Reader {
  /** The first of these that is set and not empty, without blanks around it. */
  readonly firstSet: (...names: ReadonlyArray<string>) => Variable | undefined
  /** A number of milliseconds from the first of these that is set. */
  readonly millis: (unset: number, least: number, ...names: ReadonlyArray<string>) => number
  /** A number of items, at least 1. */
  readonly count: (unset: number, name: string) => number
  readonly problem: (setting: string, problem: string, fix: string) => void
  readonly warn: (text: string) => void
  readonly problems: () => ReadonlyArray<Problem>
  readonly warnings: () => ReadonlyArray<string>
}

// The longest that a timer of Node can wait.
const longestMillis = 2 ** 31 - 1

const maxItems = 1_000_000

/** Builds the reader of some variables. */
export const makeReader = (environment: Environment): Reader => {
  const problems = new Map<string, Problem>()
  const warnings = new Set<string>()

  const firstSet: Reader["firstSet"] = (...names) => {
    for (const name of names) {
      const value = environment[name]?.trim() ?? ""
      if (value !== "") return { name, value }
    }
    return undefined
  }
  // A variable of all signals is read once for each of them.
  const problem: Reader["problem"] = (setting, text, fix) => {
    problems.set(`${setting} ${text}`, { setting, source: undefined, problem: text, fix })
  }
  const integer = (unset: number, least: number, most: number, what: string, names: ReadonlyArray<string>): number => {
    const given = firstSet(...names)
    if (given === undefined) return unset
    const value = Number(given.value)
    if (/^\d+$/.test(given.value) && value >= least && value <= most) return value
    problem(given.name, `is not ${what} from ${least} to ${most}`, `Set it to a whole number, such as ${unset}`)
    return unset
  }

  return {
    firstSet,
    problem,
    millis: (unset, least, ...names) => integer(unset, least, longestMillis, "a number of milliseconds", names),
    count: (unset, name) => integer(unset, 1, maxItems, "a number", [name]),
    warn: (text) => {
      warnings.add(text)
    },
    problems: () => [...problems.values()],
    warnings: () => [...warnings]
  }
}

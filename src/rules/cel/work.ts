/**
 * Limits the work of evaluations. Evaluations run one at a time, and each runs to its end before the next one begins.
 */

/** The remaining work of an evaluation, and the regular expressions that its expression may use. */
interface Running {
  units: number
  /** Whether it began with the full limit, so that it would have the same result at another time. */
  hadAll: boolean
  patterns: ReadonlyMap<string, Pattern>
}

/** A regular expression that was compiled when the gateway started. */
export interface Pattern {
  readonly test: (text: string) => boolean
  /** The number of instructions: matching takes at most this many steps for each character. */
  readonly size: number
}

/** The remaining work of all evaluations for one request together. */
interface Shared {
  units: number
}

const noPatterns: ReadonlyMap<string, Pattern> = new Map()
const running: Running = { units: 0, hadAll: true, patterns: noPatterns }
let shared: Shared | undefined

/** The work of an evaluation is used up. The error contains no value from the evaluation. */
export class WorkExhausted extends Error {
  override readonly name = "WorkExhausted"
}

/**
 * Takes units of the remaining work: one for each call of a function, each step of a loop and each member or element
 * that is read, and one for as many characters as take the same time.
 */
export const spend = (units: number): void => {
  running.units -= units
  if (running.units < 0) throw new WorkExhausted()
}

/** Returns whether the work was used up, even if the expression ignored the error. */
export const isExhausted = (): boolean => running.units < 0

/** Returns whether the same evaluation would have the same result at another time. */
export const isRepeatable = (): boolean => running.hadAll || !isExhausted()

/** Returns the compiled form of a pattern in the current expression. */
export const patternOf = (text: string): Pattern | undefined => running.patterns.get(text)

export const withWork = <A>(units: number, patterns: ReadonlyMap<string, Pattern>, evaluate: () => A): A => {
  const begin = Math.min(units, shared?.units ?? units)
  running.units = begin
  running.hadAll = begin === units
  running.patterns = patterns
  try {
    return evaluate()
  } finally {
    running.patterns = noPatterns
    if (shared !== undefined) shared.units -= begin - running.units
  }
}

/** Runs the evaluations for one request, which share this limit: a batch has many messages. */
export const sharingWork = <A>(units: number, evaluations: () => A): A => {
  shared = { units }
  try {
    return evaluations()
  } finally {
    shared = undefined
  }
}

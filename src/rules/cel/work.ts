/** How much work an evaluation may still do. One evaluation runs at a time, from beginning to end. */

/** What an evaluation has left, and the regular expressions that its expression may use. */
interface Running {
  units: number
  patterns: ReadonlyMap<string, Pattern>
}

/** A regular expression that was compiled when the gateway started. */
export interface Pattern {
  readonly test: (text: string) => boolean
  /** Instructions of its program: matching takes at most this many steps for each character. */
  readonly size: number
}

const noPatterns: ReadonlyMap<string, Pattern> = new Map()
const running: Running = { units: 0, patterns: noPatterns }

/** The work of an evaluation is used up. It names nothing that the evaluation has seen. */
export class WorkExhausted extends Error {
  override readonly name = "WorkExhausted"
}

/**
 * Takes units of the work that is left: one for each call of a function, each step of a loop and each member or element
 * that is looked at, and one for so many characters as take about as long.
 */
export const spend = (units: number): void => {
  running.units -= units
  if (running.units < 0) throw new WorkExhausted()
}

/** Returns whether the work was used up, also where the expression has ignored the error. */
export const isExhausted = (): boolean => running.units < 0

/** The compiled form of a pattern of the expression that runs. */
export const patternOf = (text: string): Pattern | undefined => running.patterns.get(text)

/** Runs one evaluation. */
export const withWork = <A>(units: number, patterns: ReadonlyMap<string, Pattern>, evaluate: () => A): A => {
  running.units = units
  running.patterns = patterns
  try {
    return evaluate()
  } finally {
    running.patterns = noPatterns
  }
}

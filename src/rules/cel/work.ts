/** How much work an evaluation may still do. One evaluation runs at a time, from beginning to end. */

/** The remaining work of an evaluation, and the regular expressions that its expression may use. */
interface Running {
  units: number
  /** Whether it began with all that an evaluation may do, so that it would come to the same result again. */
  hadAll: boolean
  patterns: ReadonlyMap<string, Pattern>
}

/** A regular expression that was compiled when the gateway started. */
export interface Pattern {
  readonly test: (text: string) => boolean
  /** Instructions of its program: matching takes at most this many steps for each character. */
  readonly size: number
}

/** What the evaluations of one request have left together. */
interface Shared {
  units: number
}

const noPatterns: ReadonlyMap<string, Pattern> = new Map()
const running: Running = { units: 0, hadAll: true, patterns: noPatterns }
let shared: Shared | undefined

/** The work of an evaluation is used up. It names nothing that the evaluation has seen. */
export class WorkExhausted extends Error {
  override readonly name = "WorkExhausted"
}

/**
 * Takes units of the remaining work: one for each call of a function, each step of a loop and each member or element
 * that is read, and one for the number of characters that takes about as long.
 */
export const spend = (units: number): void => {
  running.units -= units
  if (running.units < 0) throw new WorkExhausted()
}

/** Returns whether the work was used up, also where the expression has ignored the error. */
export const isExhausted = (): boolean => running.units < 0

/** Returns whether the same evaluation would come to the same result at another time. */
export const isRepeatable = (): boolean => running.hadAll || !isExhausted()

/** The compiled form of a pattern of the expression that runs. */
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

/** Runs the evaluations of one request, which share this much work: a batch has many messages. */
export const sharingWork = <A>(units: number, evaluations: () => A): A => {
  shared = { units }
  try {
    return evaluations()
  } finally {
    shared = undefined
  }
}

import type { Clock } from "effect/Clock"

/**
 * Builds a clock for intervals, in milliseconds, that is monotonic and never stands still.
 *
 * It follows the wall clock, including steps forward, because the machine may have slept. When the wall clock is set
 * back, it continues at the pace of the monotonic clock; otherwise pauses and lifetimes would be longer by that step.
 */
export const makeSteadyMillis = (): (clock: Clock) => number => {
  let lead = Number.NEGATIVE_INFINITY
  return (clock) => {
    const monotonic = Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
    lead = Math.max(lead, clock.currentTimeMillisUnsafe() - monotonic)
    return monotonic + lead
  }
}

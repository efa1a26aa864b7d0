import type { Clock } from "effect/Clock"

/**
 * Makes a clock for intervals, in milliseconds: it never goes back and never stands still.
 *
 * It goes with the wall clock, a step forward included, because the machine may have slept. When the wall clock steps
 * back, it goes on at the pace of the monotonic clock: else a back-off or a lifetime would last as long as the step.
 */
export const makeSteadyMillis = (): (clock: Clock) => number => {
  let lead = Number.NEGATIVE_INFINITY
  return (clock) => {
    const monotonic = Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
    lead = Math.max(lead, clock.currentTimeMillisUnsafe() - monotonic)
    return monotonic + lead
  }
}

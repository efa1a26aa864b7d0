/** The two algorithms for counting over time. Pure. The script in `redisCounters.ts` does the same. */
import type { Counting } from "./LimitStore.ts"

/** The state of a counter, in memory and in the store. */
export interface Counter {
  /** Fixed window: how many requests the window has counted. */
  readonly count: number
  /** In milliseconds since 1970. Fixed window: when it ends. Token bucket: when it is full again. */
  readonly until: number
}

/** The result of a charge: when it can be made, and the new state of the counter. */
export interface Attempt {
  /** 0 if the charge can be made now. */
  readonly waitMillis: number
  readonly next: Counter
}

// Sums of fractions are inexact: at current times in milliseconds, about four decimal places are reliable.
const toleranceMillis = 0.01

// A window begins with the first message in it, and ends after its length.
const fixedWindow = (
  { limit, windowMillis }: Counting,
  counter: Counter | undefined,
  tokens: number,
  now: number
): Attempt => {
  // If the clock was set back, the window must not last longer than its length.
  const isOpen = counter !== undefined && counter.until > now
  const until = isOpen ? Math.min(counter.until, now + windowMillis) : now + windowMillis
  const count = (isOpen ? counter.count : 0) + tokens
  const wait = tokens > limit ? windowMillis : until - now
  return { waitMillis: count <= limit ? 0 : wait, next: { count, until } }
}

// A bucket holds at most `limit` tokens, and fills up within a window. The time at which it will be full is its whole
// state.
const tokenBucket = (
  { limit, windowMillis }: Counting,
  counter: Counter | undefined,
  tokens: number,
  now: number
): Attempt => {
  const fullAt = counter === undefined ? now : Math.max(now, Math.min(counter.until, now + windowMillis))
  const until = fullAt + tokens * windowMillis / limit
  const missing = until - now - windowMillis
  const wait = tokens > limit ? windowMillis : missing
  return { waitMillis: missing <= toleranceMillis ? 0 : wait, next: { count: 0, until } }
}

/**
 * Adds `tokens` to a counter. The caller stores the result only if `waitMillis` is 0.
 *
 * Fixed window: at most `limit` in a window, which begins with its first message. Token bucket: at most `limit` at
 * once, and `limit` more for each length of a window.
 */
export const attempt = (
  counting: Counting,
  counter: Counter | undefined,
  tokens: number,
  now: number
): Attempt => (counting.algorithm === "fixed-window" ? fixedWindow : tokenBucket)(counting, counter, tokens, now)

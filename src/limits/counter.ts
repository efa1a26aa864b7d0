/** The two ways to count over time. Pure; the script of the store does the same. */
import type { Counting } from "./LimitStore.ts"

/** A counter of either kind; the same times and numbers stand in the store. */
export interface Counter {
  /** Fixed window: how many there were in it. */
  readonly count: number
  /** In milliseconds since 1970. Fixed window: when it ends. Token bucket: when it is full again. */
  readonly until: number
}

/** The result of a charge: when it can be made, and the counter after it. */
export interface Attempt {
  /** 0: now. */
  readonly waitMillis: number
  readonly next: Counter
}

// Sums of fractions are not exact. Times in milliseconds have about four digits behind the point.
const toleranceMillis = 0.01

// A window begins with the first message in it, and ends after its length.
const fixedWindow = (
  { limit, windowMillis }: Counting,
  counter: Counter | undefined,
  tokens: number,
  now: number
): Attempt => {
  // A clock that was set back must not make a window longer than it is.
  const isOpen = counter !== undefined && counter.until > now
  const until = isOpen ? Math.min(counter.until, now + windowMillis) : now + windowMillis
  const count = (isOpen ? counter.count : 0) + tokens
  const wait = tokens > limit ? windowMillis : until - now
  return { waitMillis: count <= limit ? 0 : wait, next: { count, until } }
}

// A bucket holds as many tokens as the limit, and fills up within a window. All that there is to know about it is when
// it will be full.
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
 * Adds `tokens` to a counter; the caller stores the result only if there is no wait.
 *
 * Fixed window: at most `limit` from the first message of a window to its end. Token bucket: at most `limit` at once, and
 * `limit` more in each window's time.
 */
export const attempt = (
  counting: Counting,
  counter: Counter | undefined,
  tokens: number,
  now: number
): Attempt => (counting.algorithm === "fixed-window" ? fixedWindow : tokenBucket)(counting, counter, tokens, now)

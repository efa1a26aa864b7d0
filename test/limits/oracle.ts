/** Rate limits as a reader of their documentation would count them: from all accepted messages. */
import type { Counting } from "../../src/limits/LimitStore.ts"

export interface Passed {
  readonly at: number
  readonly tokens: number
}

const sum = (passed: ReadonlyArray<Passed>) => passed.reduce((total, { tokens }) => total + tokens, 0)

/** The open window at a time: the messages accepted since its first one. */
const windowAt = (windowMillis: number, passed: ReadonlyArray<Passed>, now: number): ReadonlyArray<Passed> => {
  let open: ReadonlyArray<Passed> = []
  for (const one of passed) {
    const [first] = open
    open = first === undefined || one.at >= first.at + windowMillis ? [one] : [...open, one]
  }
  const [first] = open
  return first === undefined || now >= first.at + windowMillis ? [] : open
}

/** Whether so many more may pass now. */
export const mayPass = (
  { algorithm, limit, windowMillis }: Counting,
  passed: ReadonlyArray<Passed>,
  tokens: number,
  now: number
): boolean => {
  if (algorithm === "fixed-window") return sum(windowAt(windowMillis, passed, now)) + tokens <= limit
  // In no period more than a full bucket, and the tokens that were added during it.
  return tokens <= limit && passed.every((_, index) => {
    const since = passed.slice(index)
    const at = since[0]?.at ?? now
    return sum(since) + tokens <= limit + (now - at) * limit / windowMillis + 1e-6
  })
}

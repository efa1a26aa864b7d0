/** The limits that `--check` holds scores to. */
import type { Score } from "./Outcome.ts"

export interface Limit {
  readonly atLeast?: number
  readonly atMost?: number
}

export type Limits = Readonly<Record<string, Limit>>

export type Verdict = "met" | "missed" | "no limit"

/** NaN does not meet any limit. */
export const compare = ({ value }: Score, limit: Limit | undefined): Verdict => {
  if (limit === undefined) return "no limit"
  const { atLeast = -Infinity, atMost = Infinity } = limit
  return value >= atLeast && value <= atMost ? "met" : "missed"
}

export const describeLimit = ({ atLeast, atMost }: Limit = {}): string =>
  [atLeast === undefined ? "" : `≥ ${atLeast}`, atMost === undefined ? "" : `≤ ${atMost}`].filter((text) => text !== "")
    .join(", ")

/** The scores that miss their limits. */
export const missed = (scores: ReadonlyArray<Score>, limits: Limits): ReadonlyArray<Score> =>
  scores.filter((one) => compare(one, limits[one.id]) === "missed")

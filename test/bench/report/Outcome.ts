/** The results of a case. */

/** Something measured, over all rounds. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
}

/** A value with a limit: usually the ratio of two medians of one run. */
export interface Score {
  /** `case/peer`; its limit is stored under this name. */
  readonly id: string
  readonly meaning: string
  readonly value: number
}

export interface Outcome {
  readonly figures: ReadonlyArray<Figure>
  readonly scores: ReadonlyArray<Score>
  /** A case that was not measured, and the reason. */
  readonly notes: ReadonlyArray<string>
}

/** The value in the middle; of an even number, the mean of the two in the middle. `NaN` of none. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN
  return (lower + upper) / 2
}

export const figure = (name: string, unit: string, values: ReadonlyArray<number>): Figure => ({
  name,
  unit,
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values)
})

export const score = (id: string, meaning: string, value: number): Score => ({ id, meaning, value })

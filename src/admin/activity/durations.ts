/** Durations, counted in bins that grow with the duration, so that the memory does not depend on their number. Pure. */

/**
 * The upper end of the first bin, in milliseconds. Each further end is √2 times as large; the last but one is 94
 * seconds.
 */
const firstEnd = 0.5
const growth = Math.SQRT2

/** The number of bins. The last one counts all longer durations. */
export const binCount = 37

export const binOf = (millis: number): number => {
  if (!(millis > firstEnd)) return 0
  return Math.min(binCount - 1, Math.ceil(Math.log(millis / firstEnd) / Math.log(growth)))
}

const endOf = (bin: number): number => firstEnd * growth ** bin

/**
 * Returns the duration that a share of all durations does not exceed, to about 10 percent; `null` if there are none.
 *
 * @param share from 0 to 1
 */
export const quantile = (bins: ArrayLike<number>, share: number): number | null => {
  let total = 0
  for (let bin = 0; bin < binCount; bin++) total += bins[bin] ?? 0
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (let bin = 0; bin < binCount; bin++) {
    const here = bins[bin] ?? 0
    if (here > 0 && seen + here >= rank) {
      const start = bin === 0 ? 0 : endOf(bin - 1)
      return start + (endOf(bin) - start) * (rank - seen) / here
    }
    seen += here
  }
  return endOf(binCount - 1)
}

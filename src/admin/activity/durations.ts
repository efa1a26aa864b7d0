/** Durations as counts in bins whose width grows with the duration, so that any number of them takes the same room. Pure. */

/** The upper end of the first bin in milliseconds; each next one ends √2 times later, the last but one at 94 seconds. */
const firstEnd = 0.5
const growth = Math.SQRT2

/** How many bins there are. The last one has all that is longer. */
export const binCount = 37

export const binOf = (millis: number): number => {
  if (!(millis > firstEnd)) return 0
  return Math.min(binCount - 1, Math.ceil(Math.log(millis / firstEnd) / Math.log(growth)))
}

const endOf = (bin: number): number => firstEnd * growth ** bin

/**
 * The duration that a share of all durations does not exceed, to about 10 percent; `null`: there are no durations.
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

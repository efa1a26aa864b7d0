/** Whether something grows, from samples that were taken at equal intervals. */

/** The measurements while the gateway was idle. */
export interface Sample {
  /** MiB of the worker's heap. */
  readonly memory: number
  /** MiB of the first process's heap. */
  readonly primary: number
  readonly descriptors: number
  readonly connections: number
}

/** The first samples are the warm-up: a quarter of them, five minutes at most. */
const warmUpSeconds = 300

const least = (values: ReadonlyArray<number>): number => Math.min(...values)

/**
 * The growth between the first and the last third of the samples after the warm-up.
 *
 * The minimum of each third counts, because temporary peaks are not growth. Memory is what comes in 10 minutes, or in
 * the whole run if that is shorter.
 *
 * @param intervalSeconds between two samples
 */
export const growth = (samples: ReadonlyArray<Sample>, intervalSeconds: number): Sample => {
  const warm = samples.slice(Math.min(Math.floor(samples.length / 4), Math.ceil(warmUpSeconds / intervalSeconds)))
  const third = Math.max(1, Math.floor(warm.length / 3))
  const come = (name: keyof Sample): number =>
    least(warm.slice(-third).map((sample) => sample[name])) - least(warm.slice(0, third).map((sample) => sample[name]))
  // From the middle of the first third to the middle of the last.
  const periods = Math.max((warm.length - third) * intervalSeconds / 600, 1)
  return {
    memory: come("memory") / periods,
    primary: come("primary") / periods,
    descriptors: come("descriptors"),
    connections: come("connections")
  }
}

import type { FetchLimits } from "./remoteState.ts"

/**
 * How often one document of a provider is asked for, and how long its silence is bridged.
 *
 * At most 6 times a minute while the provider fails; at most once in 30 seconds for what a fresh document lacks; an hour
 * of stale serving.
 */
export const providerLimits: FetchLimits = {
  backOffMillis: 10_000,
  downMillis: 20_000,
  extraMillis: 30_000,
  aheadMillis: 10_000,
  staleMillis: 3_600_000
}

/** What a client is told to wait before it asks again, in seconds: by then the provider may have been asked again. */
export const retryAfterSeconds = providerLimits.backOffMillis / 1000

/**
 * How many may wait for one document of a provider at a time; each takes some 10 KB. When there are more, those who ask the
 * most are refused at once.
 */
export const documentWaiters = 1_024

/** What the log is told of them. */
export const tooManyWait = `more than ${documentWaiters} requests wait for it`

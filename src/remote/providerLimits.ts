import type { FetchLimits } from "./remoteState.ts"

/**
 * How often a document of a provider is fetched, and how long it is used during an outage.
 *
 * At most 6 times a minute while the provider fails; at most once in 30 seconds for something that a fresh document
 * lacks. A stale document is used for an hour at most.
 */
export const providerLimits: FetchLimits = {
  backOffMillis: 10_000,
  downMillis: 20_000,
  extraMillis: 30_000,
  aheadMillis: 10_000,
  staleMillis: 3_600_000
}

/** The `Retry-After` for clients, in seconds. By then, the gateway may have requested the provider again. */
export const retryAfterSeconds = providerLimits.backOffMillis / 1000

/**
 * How many requests may wait for one document of a provider; each takes about 10 KB. If there are more, requests of the
 * owners with the most waiting requests are rejected at once.
 */
export const documentWaiters = 1_024

export const tooManyWait = `more than ${documentWaiters} requests wait for it`

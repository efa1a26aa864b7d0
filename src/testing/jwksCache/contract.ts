/**
 * The numbers in the contract of `JwksCache`, in milliseconds.
 *
 * Written out here: numbers imported from the code would repeat its mistakes.
 */
export const contract = {
  /** Bounds of the lifetime that a provider may choose, and the lifetime if it chooses none. */
  minFresh: 60_000,
  maxFresh: 86_400_000,
  defaultFresh: 300_000,
  /** How long before its expiry a set may be fetched again. */
  ahead: 10_000,
  /** The pause after a failed fetch. */
  backOff: 10_000,
  /** The pause between two fetches for keys that a fresh set lacks. */
  extra: 30_000,
  /** How long an expired set is used while the provider is down. */
  stale: 3_600_000,
  /** The longest fetch, plus a second by which the suite's clock may have advanced. */
  fetch: 6_000
} as const

/**
 * A provider that was healthy for this long has been requested again: the longest failed fetch, and the pause after it.
 */
export const recovery = contract.fetch + contract.backOff

/** After this long, it has also been requested for keys that a fresh set lacks. */
export const fullRecovery = contract.extra + recovery

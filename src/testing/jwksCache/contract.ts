/**
 * The numbers of the contract of `JwksCache`, in milliseconds.
 *
 * Stated anew: a suite that took them from the code would follow its mistakes.
 */
export const contract = {
  /** Bounds of the lifetime that a provider may choose, and the lifetime if it chooses none. */
  minFresh: 60_000,
  maxFresh: 86_400_000,
  defaultFresh: 300_000,
  /** How long before its end a set may be fetched again. */
  ahead: 10_000,
  /** The pause after a failed fetch. */
  backOff: 10_000,
  /** Between two fetches for keys that a fresh set lacks. */
  extra: 30_000,
  /** How long a set that has ended serves while the provider is down. */
  stale: 3_600_000,
  /** The longest fetch, and a second in which the clock of the suite may have moved on. */
  fetch: 6_000
} as const

/** Healthy for this long, a provider has been asked again: the longest fetch, which failed, and the pause after it. */
export const recovery = contract.fetch + contract.backOff

/** And for this long, it has also been asked for keys that a fresh set lacks. */
export const fullRecovery = contract.extra + recovery

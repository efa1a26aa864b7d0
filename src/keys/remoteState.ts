/**
 * What is known about one document at a provider, as data: when it may be used, when it is to be asked for, and when
 * not.
 *
 * Pure: `RemoteValue.ts` runs the fetches. Times are milliseconds of the wall clock.
 */

/** A value that a fetch has brought. */
export interface Held<A> {
  readonly value: A
  /** From here on it is fetched again in the background, while it still serves. */
  readonly refreshAt: number
  /** Until here it serves without question. */
  readonly freshUntil: number
  /** Until here it serves while the provider cannot be asked. */
  readonly staleUntil: number
}

export interface RemoteState<A> {
  readonly held: Held<A> | undefined
  readonly fetching: boolean
  /** Failed fetches since the last good one. */
  readonly failures: number
  /** After a failure nobody asks before this. */
  readonly retryAt: number
  /** A fresh value is not fetched again for what it lacks before this. */
  readonly extraAt: number
}

/** How often a provider is asked, and how long its silence is bridged. */
export interface FetchLimits {
  /** The pause after a first failure; each further one doubles it. */
  readonly backOffMillis: number
  readonly maxBackOffMillis: number
  /** Between two fetches of a fresh value for what it lacks, failed ones included. */
  readonly extraMillis: number
  /** How long before its end a fresh value is fetched again. */
  readonly aheadMillis: number
  /** How long after its end a value serves while the provider is down. */
  readonly staleMillis: number
}

/**
 * The state in the words of an operator.
 *
 * `empty`: never asked. `fresh`: usable. `refreshing`: usable, and being fetched again. `stale`: usable only because the
 * provider is down. `pending`: nothing to use yet, being fetched. `unavailable`: nothing to use, and the provider is
 * down.
 */
export type Phase = "empty" | "fresh" | "refreshing" | "stale" | "pending" | "unavailable"

export const initial: RemoteState<never> = {
  held: undefined,
  fetching: false,
  failures: 0,
  retryAt: Number.NEGATIVE_INFINITY,
  extraAt: Number.NEGATIVE_INFINITY
}

/** Whether the held value serves at all: it is fresh, or the provider is down and it is not too old. */
const serves = <A>({ held }: RemoteState<A>, now: number): held is Held<A> =>
  held !== undefined && now < held.staleUntil

export const phase = <A>(state: RemoteState<A>, now: number): Phase => {
  if (serves(state, now)) {
    if (now < (state.held?.freshUntil ?? now)) return state.fetching ? "refreshing" : "fresh"
    return "stale"
  }
  if (state.failures > 0) return "unavailable"
  return state.fetching ? "pending" : "empty"
}

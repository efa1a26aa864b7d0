/** The state of a value that a provider publishes, for operators. Pure. */
import type * as Cause from "effect/Cause"
import * as State from "./remoteState.ts"

/** The state of a cached value for operators. Times are milliseconds from now, negative in the past. */
export interface Inspected<A, E> {
  readonly phase: State.Phase
  /** The cached value, however old. */
  readonly value: A | undefined
  /** When the provider sent the value; `undefined` if another instance fetched it, or if there is no value. */
  readonly fetchedIn: number | undefined
  readonly freshUntilIn: number | undefined
  /** When the next fetch would start if the value is then used; `undefined` before the first fetch. */
  readonly nextFetchIn: number | undefined
  /** The number of failed fetches since the last successful one. */
  readonly failures: number
  readonly lastFailure: Cause.Cause<E> | undefined
}

/**
 * Returns the state of a cached value for operators.
 *
 * @param fetchedAt when the provider sent the value, by the clock of the state
 */
export const inspected = <A, E>(
  state: State.RemoteState<A>,
  now: number,
  fetchedAt: number | undefined,
  lastFailure: Cause.Cause<E> | undefined
): Inspected<A, E> => {
  const { failures, held, retryAt } = state
  return {
    phase: State.phase(state, now),
    value: held?.value,
    fetchedIn: held === undefined || fetchedAt === undefined ? undefined : fetchedAt - now,
    freshUntilIn: held === undefined ? undefined : held.freshUntil - now,
    nextFetchIn: failures > 0 ? retryAt - now : held === undefined ? undefined : held.refreshAt - now,
    failures,
    lastFailure: failures > 0 ? lastFailure : undefined
  }
}

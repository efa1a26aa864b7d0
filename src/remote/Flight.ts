/** A running fetch of a `RemoteValue`, and whether the request that runs it still exists. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Outcome } from "./fetchOutcome.ts"

export interface Flight<A, E> {
  /** The result to wait for, if requests may wait for each other's I/O. */
  readonly outcome: Deferred.Deferred<Outcome<A>, E>
  /** The outcome, for requests that may not wait for another request's I/O. Set at the end. */
  exit: Exit.Exit<Outcome<A>, E> | undefined
  /** If it is not renewed until this time, the request that runs the fetch is gone, and the fetch has ended with it. */
  aliveUntil: number
}

// How often a request renews its fetch, and for how long each time.
const beatMillis = 250
const lifeMillis = 1_000

/** How often others check for the outcome of a fetch. */
export const lookMillis = 25

/**
 * Begins a flight.
 *
 * @param sharedIo whether the fetch continues after the request that began it
 */
export const beginFlight = <A, E>(sharedIo: boolean, now: number): Flight<A, E> => ({
  outcome: Deferred.makeUnsafe<Outcome<A>, E>(),
  exit: undefined,
  aliveUntil: sharedIo ? Number.POSITIVE_INFINITY : now + lifeMillis
})

/** Renews a running fetch until it is interrupted. */
export const beat = (
  flight: Pick<Flight<never, never>, "aliveUntil">,
  steadyMillis: Effect.Effect<number>
): Effect.Effect<never> =>
  Effect.forever(Effect.andThen(
    Effect.sleep(beatMillis),
    Effect.map(steadyMillis, (now) => {
      flight.aliveUntil = now + lifeMillis
    })
  ))

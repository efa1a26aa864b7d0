/** A running fetch of a `RemoteValue`, and whether the request that runs it is still there. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Outcome } from "./fetchOutcome.ts"

/** A running fetch. */
export interface Flight<A, E> {
  /** What requests wait for if they may wait for each other's I/O. */
  readonly outcome: Deferred.Deferred<Outcome<A>, E>
  /** The outcome after the end, for requests that may not. */
  exit: Exit.Exit<Outcome<A>, E> | undefined
  /** After this time, unless renewed, the request that runs the fetch is gone, and the fetch with it. */
  aliveUntil: number
}

// How often a request renews its fetch, and for how long.
const beatMillis = 250
const lifeMillis = 1_000

/** How often others check for the outcome of a fetch. */
export const lookMillis = 25

/**
 * Begins a flight.
 *
 * @param sharedIo whether it goes on after the request that began it
 */
export const beginFlight = <A, E>(sharedIo: boolean, now: number): Flight<A, E> => ({
  outcome: Deferred.makeUnsafe<Outcome<A>, E>(),
  exit: undefined,
  aliveUntil: sharedIo ? Number.POSITIVE_INFINITY : now + lifeMillis
})

/** Renews a running fetch until interrupted. */
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

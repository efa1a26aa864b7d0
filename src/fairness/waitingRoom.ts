import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { FairQueue } from "./FairQueue.ts"
import { Requester } from "./Requester.ts"

/** Runs an effect that waits on behalf of the current `Requester`. Fails if the room is full. */
export type WaitingRoom<E> = <A>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

/**
 * Builds a room of limited size for effects that wait for the same thing.
 *
 * If it is full, the owner with the most waiting effects loses one of them.
 *
 * @param full returns the error for an effect that finds no room or loses its place
 */
export const makeWaitingRoom = <E>(capacity: number, full: () => E): WaitingRoom<E> => {
  const queue = new FairQueue<() => void>(capacity)
  return (effect) =>
    Effect.flatMap(Requester, (requester) => {
      const pushedOut = Deferred.makeUnsafe<never, E>()
      const offered = queue.offer(requester, () => Deferred.doneUnsafe(pushedOut, Effect.fail(full())))
      if (offered._tag === "Rejected") return Effect.fail(full())
      if (offered._tag === "Displaces") offered.displaced()
      return Effect.ensuring(
        Effect.raceFirst(effect, Deferred.await(pushedOut)),
        Effect.sync(() => queue.remove(offered.place))
      )
    })
}

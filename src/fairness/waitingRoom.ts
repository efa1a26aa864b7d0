import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Asker } from "./Asker.ts"
import { FairQueue } from "./FairQueue.ts"

/** Lets an effect wait on behalf of the current `Asker`; where there is no room for it, it fails. */
export type WaitingRoom<E> = <A>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

/**
 * Makes a room for those who wait for one and the same thing.
 *
 * When it is full, whoever has the most in it makes room for the others: one that asks much pushes out itself.
 *
 * @param full what those are told for whom there is no room
 */
export const makeWaitingRoom = <E>(capacity: number, full: () => E): WaitingRoom<E> => {
  const queue = new FairQueue<() => void>(capacity)
  return (effect) =>
    Effect.flatMap(Asker, (asker) => {
      const pushedOut = Deferred.makeUnsafe<never, E>()
      const offered = queue.offer(asker, () => Deferred.doneUnsafe(pushedOut, Effect.fail(full())))
      if (offered._tag === "Refused") return Effect.fail(full())
      if (offered._tag === "Displaces") offered.displaced()
      return Effect.ensuring(
        Effect.raceFirst(effect, Deferred.await(pushedOut)),
        Effect.sync(() => queue.remove(offered.place))
      )
    })
}

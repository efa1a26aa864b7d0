import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Asker } from "../../fairness/Asker.ts"
import { FairQueue, type Waiting } from "../../fairness/FairQueue.ts"

/** Questions about new tokens at the same time, and beside them those about tokens that were good before. */
export const ceiling = 32
const knownCeiling = 8

/** Questions that may wait for their turn, of each kind. */
export const queueLength = 1_024

/** Gives an effect its turn; fails where there is no room to wait for it. */
export type InTurn<F> = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | F>

interface Waiter {
  readonly turn: () => void
  readonly pushedOut: () => void
}

/** How often a request looks whether it is its turn, and how long a turn lasts whose end nobody has told. */
const lookMillis = 25
const longestMillis = 6_000

/** The same where requests may not wait for each other (`SharedIo`): each of them looks again until there is a free turn. */
export const makeOwnTurns = (): InTurn<never> => {
  // When each turn is over at the latest: that a client has left is not told on every host.
  const turns = { newcomers: new Set<{ readonly until: number }>(), known: new Set<{ readonly until: number }>() }

  const take = (isKnown: boolean, now: number): (() => void) | undefined => {
    const taken = isKnown ? turns.known : turns.newcomers
    for (const turn of taken) if (now >= turn.until) taken.delete(turn)
    if (taken.size >= (isKnown ? knownCeiling : ceiling)) return undefined
    const turn = { until: now + longestMillis }
    taken.add(turn)
    return () => void taken.delete(turn)
  }

  const inTurn: InTurn<never> = (effect) =>
    Effect.flatMap(Effect.all([Asker, Clock.currentTimeMillis]), ([{ isKnown }, now]) => {
      const leave = take(isKnown, now)
      return leave === undefined
        ? Effect.andThen(Effect.sleep(lookMillis), inTurn(effect))
        : Effect.ensuring(effect, Effect.sync(leave))
    })
  return inTurn
}

/**
 * Makes the order in which a provider is asked.
 *
 * The peers take turns, and so do the connections of each. Tokens that were good before have a lane of their own, which
 * nobody can fill with invented ones, and go first.
 *
 * @param full what those are told for whom there is no room
 */
export const makeTurns = <F>(full: () => F): InTurn<F> => {
  const newcomers = new FairQueue<Waiter>(queueLength)
  const known = new FairQueue<Waiter>(queueLength)
  let askedNew = 0
  let askedKnown = 0

  const isFree = (isKnown: boolean): boolean => isKnown ? askedKnown < knownCeiling : askedNew < ceiling
  const occupy = (isKnown: boolean, by: number): void => {
    if (isKnown) askedKnown += by
    else askedNew += by
  }

  let isGiving = false

  /** Gives the turn that has become free to the next one. */
  const leave = (isKnown: boolean): void => {
    occupy(isKnown, -1)
    // What ends while it is given its turn leaves it to the loop below: one within the other they would fill the stack.
    if (isGiving) return
    isGiving = true
    for (const [queue, kind] of [[known, true], [newcomers, false]] as const) {
      while (isFree(kind)) {
        const next = queue.take()
        if (next === undefined) break
        occupy(kind, 1)
        next.turn()
      }
    }
    isGiving = false
  }

  return <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Asker, (asker) => {
        const { isKnown } = asker
        const queue = isKnown ? known : newcomers
        const asked = Effect.ensuring(restore(effect), Effect.sync(() => leave(isKnown)))
        if (isFree(isKnown)) {
          occupy(isKnown, 1)
          return asked
        }
        const turn = Deferred.makeUnsafe<void, F>()
        let hasTurn = false
        const offered = queue.offer(asker, {
          turn: () => {
            hasTurn = true
            Deferred.doneUnsafe(turn, Effect.void)
          },
          pushedOut: () => Deferred.doneUnsafe(turn, Effect.fail(full()))
        })
        if (offered._tag === "Rejected") return Effect.fail(full())
        if (offered._tag === "Displaces") offered.displaced.pushedOut()
        const place: Waiting<Waiter> = offered.place
        const waited = Effect.onInterrupt(
          restore(Deferred.await(turn)),
          () => Effect.sync(() => hasTurn ? leave(isKnown) : queue.remove(place))
        )
        return Effect.andThen(waited, asked)
      })
    )
}

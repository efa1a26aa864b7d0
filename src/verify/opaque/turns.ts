import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { FairQueue, type Waiting } from "../../fairness/FairQueue.ts"
import { Requester } from "../../fairness/Requester.ts"

/**
 * The maximum number of concurrent requests about new tokens. Tokens that were accepted before have a separate limit.
 */
export const ceiling = 32
const knownCeiling = 8

/** How many requests of each kind may wait for a turn. */
export const queueLength = 1_024

/** Runs an effect when it gets a turn. Fails if the queue is full. */
export type InTurn<F> = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | F>

interface Waiter {
  readonly turn: () => void
  readonly pushedOut: () => void
}

/**
 * How often a waiting request polls for a free turn, and after how long a turn counts as free if its end is not
 * reported.
 */
const lookMillis = 25
const longestMillis = 6_000

/** Turns for hosts on which requests may not wait for each other (`SharedIo`): each request polls for a free turn. */
export const makeOwnTurns = (): InTurn<never> => {
  // Each turn has a latest end, because some hosts do not report that a client has left.
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
    Effect.flatMap(Effect.all([Requester, Clock.currentTimeMillis]), ([{ isKnown }, now]) => {
      const leave = take(isKnown, now)
      return leave === undefined
        ? Effect.andThen(Effect.sleep(lookMillis), inTurn(effect))
        : Effect.ensuring(effect, Effect.sync(leave))
    })
  return inTurn
}

/**
 * Builds the queue of requests to a provider.
 *
 * Peers take turns, and so do the connections of each peer. Tokens that were accepted before have a separate queue,
 * which goes first, and which attackers cannot fill with invented tokens.
 *
 * @param full builds the failure for a full queue
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

  /** Assigns a free turn to the next request. */
  const leave = (isKnown: boolean): void => {
    occupy(isKnown, -1)
    // A request that ends while it gets its turn returns here at once. The loop below then assigns the next turn:
    // nested calls could exhaust the stack.
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
      Effect.flatMap(Requester, (requester) => {
        const { isKnown } = requester
        const queue = isKnown ? known : newcomers
        const running = Effect.ensuring(restore(effect), Effect.sync(() => leave(isKnown)))
        if (isFree(isKnown)) {
          occupy(isKnown, 1)
          return running
        }
        const turn = Deferred.makeUnsafe<void, F>()
        let hasTurn = false
        const offered = queue.offer(requester, {
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
        return Effect.andThen(waited, running)
      })
    )
}

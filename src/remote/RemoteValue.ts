import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { WaitingRoom } from "../fairness/waitingRoom.ts"
import { runAfterResponse } from "../fairness/WaitUntil.ts"
import type { DocumentStore } from "./documentStore.ts"
import { type Brought, type Outcome, outcomeOf, stateAfter } from "./fetchOutcome.ts"
import { beat, beginFlight, type Flight, lookMillis } from "./Flight.ts"
import { type Inspected, inspected } from "./Inspected.ts"
import * as State from "./remoteState.ts"
import { awaitOthers } from "./SharedEntries.ts"
import { makeSteadyMillis } from "./steadyMillis.ts"

export interface FetchRequest<A> {
  /** Whether a fresh value lacks something, for which it is fetched again. */
  readonly extra: boolean
  /** The current value, however old. */
  readonly previous: A | undefined
  /** The result of `locate`. */
  readonly uri: string
}

/** A value that may be used now. */
export interface Current<A> {
  readonly value: A
  /** Whether the provider was requested after the caller arrived, so that no newer value can exist. */
  readonly latest: boolean
  /** Whether the value has expired, and is only used because the provider is down. */
  readonly stale: boolean
}

/** A value that a provider publishes, fetched when it is needed and cached while it may be used. */
export interface RemoteValue<A, E> {
  /**
   * Returns the value: at once if it is fresh or the provider is down, otherwise after a fetch.
   *
   * Concurrent callers share one fetch, which continues if they are cancelled. Fails with the failure of the last fetch
   * if no value may be used.
   */
  readonly current: Effect.Effect<Current<A>, E>
  /** Returns the value synchronously if `current` would return it without starting a fetch. */
  readonly peek: (clock: Clock.Clock) => A | undefined
  /** Returns the current value, however old. */
  readonly held: () => A | undefined
  /**
   * Fetches the value again, although it is fresh, because it lacks what the caller needs.
   *
   * If the limits do not permit a fetch, the result is that of the last one. After a failure, `current` still returns
   * the current value. `joined`: the fetch had already started.
   */
  readonly refetched: Effect.Effect<{ readonly value: A; readonly joined: boolean }, E>
  /** Counts the last fetch as one for a missing part, because its result lacked what the caller needed. */
  readonly noteMiss: Effect.Effect<void>
  /** Starts a fetch if one is due, without waiting for it. Does nothing if requests do not share I/O. */
  readonly prefetch: Effect.Effect<void>
  /**
   * Returns the phase, and the value if it may be used. Starts a fetch if one is due; if requests do not share I/O,
   * waits for it.
   */
  readonly status: Effect.Effect<{ readonly phase: State.Phase; readonly value: A | undefined }>
  /** Returns the cached state, for operators. Never starts a fetch. */
  readonly inspect: (clock: Clock.Clock) => Inspected<A, E>
}

export interface RemoteValueOptions<A, E> {
  /** The scope in which shared fetches run, independent of the requests that wait for them. */
  readonly scope: Scope.Scope
  /** Finds the URL of the value, before each fetch. */
  readonly locate?: Effect.Effect<string, E> | undefined
  readonly fetch: (request: FetchRequest<A>) => Effect.Effect<State.Fetched<A>, E>
  /** Wraps both finding the URL and fetching the value, for example with a timeout or a log line. */
  readonly attempt?: (<B>(effect: Effect.Effect<B, E>) => Effect.Effect<B, E>) | undefined
  readonly limits: State.FetchLimits
  /** Called on each change of phase, for the log and the metrics. */
  readonly onChange?: ((phase: State.Phase) => Effect.Effect<void>) | undefined
  /** The queue of requests that wait for the value. Without it, their number is not limited. */
  readonly room?: WaitingRoom<E> | undefined
  /** The store that instances share. It is read before the provider is requested. */
  readonly store?: DocumentStore<A> | undefined
  /** Builds the failure while another instance waits after a failure of the provider. */
  readonly backedOff: () => E
  /** The value of `SharedIo`. Default: `true`. */
  readonly sharedIo?: boolean | undefined
}

/** A fetch that was started or joined, with its outcome if this request ran it. */
interface Started<A, E> {
  readonly flight: Flight<A, E>
  readonly joined: boolean
  readonly own?: Exit.Exit<Outcome<A>, E> | undefined
}

/**
 * Builds a remote value.
 *
 * `remoteState.ts` decides what to do, and this module does it. Times are those of `steadyMillis.ts`. If requests do
 * not share I/O, one of them runs the fetch, and the others poll for its outcome. If its client disconnects, another
 * request takes over.
 */
export const make = <A, E>(
  {
    attempt = (effect) => effect,
    backedOff,
    fetch,
    limits,
    locate = Effect.succeed(""),
    onChange = () => Effect.void,
    room = (effect) => effect,
    scope,
    sharedIo = true,
    store
  }: RemoteValueOptions<A, E>
): RemoteValue<A, E> => {
  const millisOf = makeSteadyMillis()
  const steadyMillis = Clock.clockWith((clock) => Effect.sync(() => millisOf(clock)))
  // Plain variables are enough: each change is made without a suspension in between, so no fiber sees a partial change.
  let state: State.RemoteState<A> = State.initial
  let lastPhase: State.Phase = "empty"
  // The whole cause is kept: a fetch that ends with a defect causes a pause like any other failure.
  let lastFailure: Cause.Cause<E> | undefined
  let inFlight: Flight<A, E> | undefined
  // The URL that `locate` returned last.
  let located: string | undefined
  // When the provider itself sent the current value.
  let fetchedAt: number | undefined

  const become = (next: State.RemoteState<A>, now: number): Effect.Effect<void> => {
    state = next
    const phase = State.phase(state, now)
    if (phase === lastPhase) return Effect.void
    lastPhase = phase
    // A defect in `onChange` must not affect callers that wait for the value.
    return Effect.ignoreCause(onChange(phase))
  }

  /** Stores the state for other instances. */
  const share = Effect.suspend(() => {
    const uri = located
    return store === undefined || uri === undefined
      ? Effect.void
      : Effect.flatMap(steadyMillis, (now) => store.write(uri, now, state))
  })

  /** Reads the state that other instances stored, if it makes a fetch unnecessary. */
  const recall = Effect.fnUntraced(function*(uri: string): Effect.fn.Return<Brought<A> | undefined> {
    if (store === undefined) return undefined
    const theirs = yield* store.read(uri, yield* steadyMillis, state.held?.value)
    if (theirs === undefined) return undefined
    state = State.adopted(state, theirs)
    const step = State.onNeed(State.rested(state), yield* steadyMillis)
    if (step === "GiveUp") return { _tag: "BackedOff" }
    return step === "Use" && state.held !== undefined ? { _tag: "Recalled", value: state.held.value } : undefined
  })

  /** Like `recall`. If another instance is fetching the value, waits for it, but not for long. */
  const recallOrClaim = Effect.fnUntraced(function*(uri: string): Effect.fn.Return<Brought<A> | undefined> {
    const recalled = yield* recall(uri)
    if (recalled !== undefined || store === undefined) return recalled
    if (!(yield* store.claim(uri))) return yield* awaitOthers(recall(uri), "second")
    if (sharedIo) return undefined
    // The other instance may have finished in between: then its value is stored.
    return yield* Effect.tap(recall(uri), (found) => found === undefined ? Effect.void : store.release(uri))
  })

  const obtain = (extra: boolean): Effect.Effect<Brought<A>, E> =>
    attempt(Effect.gen(function*(): Effect.fn.Return<Brought<A>, E> {
      const uri = located = yield* locate
      // Not read: the stored value lacks the same part, because it is the current value.
      const recalled = extra ? undefined : yield* recallOrClaim(uri)
      if (recalled !== undefined) return recalled
      // Stored before the response arrives, so that other instances do not request the provider as well.
      if (extra && !sharedIo) yield* share
      return { _tag: "Fetched", fetched: yield* fetch({ extra, previous: state.held?.value, uri }) }
    }))

  const settle = Effect.fnUntraced(function*(flight: Flight<A, E>, exit: Exit.Exit<Brought<A>, E>) {
    // Another request takes over the fetch. A disconnected client is not a failure of the provider.
    if (inFlight !== flight || (!sharedIo && Exit.hasInterrupts(exit))) return
    const now = yield* steadyMillis
    inFlight = undefined
    const outcome = flight.exit = outcomeOf(exit, backedOff)
    if (Exit.isFailure(outcome)) lastFailure = outcome.cause
    else fetchedAt = exit._tag === "Success" && exit.value._tag === "Fetched" ? now : undefined
    yield* become(stateAfter(state, exit, now, limits), now)
    // Failures are shared only if all instances reach the provider in the same way.
    if (Exit.isSuccess(exit) ? exit.value._tag === "Fetched" : !sharedIo) yield* share
    yield* Deferred.done(flight.outcome, outcome)
  })

  /**
   * Starts a fetch or joins the running one. Uninterruptible: a fetch that is recorded but never runs would block all
   * callers.
   */
  const start = (now: number, extra: boolean): Effect.Effect<Started<A, E>> =>
    Effect.uninterruptible(Effect.suspend(() => {
      if (inFlight !== undefined && now < inFlight.aliveUntil) return Effect.succeed({ flight: inFlight, joined: true })
      const flight = inFlight = beginFlight<A, E>(sharedIo, now)
      const obtained = obtain(extra)
      const run = Effect.onExit(
        Effect.interruptible(sharedIo ? obtained : Effect.raceFirst(obtained, beat(flight, steadyMillis))),
        (exit) => settle(flight, exit)
      )
      return Effect.andThen(
        become(State.started(state, now, limits, extra), now),
        sharedIo
          ? Effect.as(Effect.forkIn(run, scope, { startImmediately: true }), { flight, joined: false })
          : Effect.map(Effect.exit(run), (own) => ({ flight, joined: false, own: outcomeOf(own, backedOff) }))
      )
    }))

  const held = (now: number): Current<A> | undefined =>
    state.held === undefined
      ? undefined
      : { value: state.held.value, latest: false, stale: State.phase(state, now) === "stale" }

  /** Uses a stale value instead of a fetch that failed. */
  const fallBack = (cause: Cause.Cause<E>) =>
    Effect.flatMap(steadyMillis, (now) => {
      const known = held(now)
      return known?.stale === true ? Effect.succeed(known) : Effect.failCause(cause)
    })

  /** Waits for the outcome of a fetch that another request runs; if that request is gone, starts the next fetch. */
  const look = (flight: Flight<A, E>, extra: boolean): Effect.Effect<Outcome<A>, E> =>
    Effect.flatMap(Effect.andThen(Effect.sleep(lookMillis), steadyMillis), (now) => {
      if (flight.exit !== undefined) return flight.exit
      return now < flight.aliveUntil ? look(flight, extra) : fetched(now, extra)
    })

  const awaited = ({ flight, own }: Started<A, E>, extra: boolean): Effect.Effect<Outcome<A>, E> =>
    sharedIo ? room(Deferred.await(flight.outcome)) : own ?? look(flight, extra)

  const fetched = (now: number, extra: boolean): Effect.Effect<Outcome<A> & { readonly joined: boolean }, E> =>
    Effect.flatMap(
      start(now, extra),
      (started) => Effect.map(awaited(started, extra), (outcome) => ({ ...outcome, joined: started.joined }))
    )

  const current = Effect.flatMap(steadyMillis, (now): Effect.Effect<Current<A>, E> => {
    const step = State.onNeed(state, now)
    const known = held(now)
    if (known !== undefined && step === "Use") return Effect.succeed(known)
    if (known !== undefined && step === "UseAndFetch" && sharedIo) return Effect.as(start(now, false), known)
    if (step === "GiveUp" && lastFailure !== undefined) return Effect.failCause(lastFailure)
    const bring = fetched(now, false).pipe(
      Effect.map(({ joined, latest, value }) => ({ value, latest: latest && !joined, stale: false })),
      Effect.catchCause((cause) =>
        known !== undefined && step === "UseAndFetch" ? Effect.succeed(known) : fallBack(cause)
      )
    )
    if (known === undefined || step !== "UseAndFetch") return bring
    const isRunning = inFlight !== undefined && now < inFlight.aliveUntil
    return Effect.flatMap(
      runAfterResponse(isRunning ? Effect.void : bring),
      (isKept) => isKept ? Effect.succeed(known) : bring
    )
  })

  const refetched = Effect.flatMap(steadyMillis, (now) => {
    if (State.onMiss(state, now) === "Await") return fetched(now, true)
    if (state.failures > 0) return Effect.failCause(lastFailure ?? Cause.fail(backedOff()))
    return state.held === undefined ? fetched(now, true) : Effect.succeed({ value: state.held.value, joined: false })
  })

  const prefetch = Effect.flatMap(steadyMillis, (now) => {
    const step = State.onNeed(state, now)
    return !sharedIo || step === "Use" || step === "GiveUp" ? Effect.void : Effect.asVoid(start(now, false))
  })

  return {
    current,
    peek: (clock) => State.settled(state, millisOf(clock)),
    held: () => state.held?.value,
    refetched,
    noteMiss: Effect.flatMap(steadyMillis, (now) => {
      state = State.missed(state, now, limits)
      return sharedIo ? Effect.void : share
    }),
    prefetch,
    status: Effect.andThen(
      sharedIo ? prefetch : Effect.exit(current),
      Effect.map(steadyMillis, (now) => {
        const phase = State.phase(state, now)
        return { phase, value: State.hasValue(phase) ? state.held?.value : undefined }
      })
    ),
    inspect: (clock) => inspected(state, millisOf(clock), fetchedAt, lastFailure)
  }
}

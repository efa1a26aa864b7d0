import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { WaitingRoom } from "../fairness/waitingRoom.ts"
import * as State from "./remoteState.ts"
import { makeSteadyMillis } from "./steadyMillis.ts"

/** What a fetch is told. */
export interface FetchRequest<A> {
  /** It is for what a fresh value lacks. */
  readonly extra: boolean
  /** The value that it is to replace, however old. */
  readonly previous: A | undefined
}

/** A value that may be used now. */
export interface Current<A> {
  readonly value: A
  /** The provider was asked for it after the caller came, so that there cannot be a newer one. */
  readonly latest: boolean
  /** It is past its end and serves because the provider is down. */
  readonly stale: boolean
}

/** One value that lives at a provider, fetched when it is needed and kept while it may be used. */
export interface RemoteValue<A, E> {
  /**
   * The value: at once while it is fresh or the provider is down, else after a fetch.
   *
   * Callers at the same time share one fetch, which goes on when they leave. Fails with the failure of the last fetch
   * when there is no value that may be used.
   */
  readonly current: Effect.Effect<Current<A>, E>
  /** The value at once, where `current` would give it and do nothing else. */
  readonly known: (clock: Clock.Clock) => A | undefined
  /**
   * The value after another fetch although the one at hand is fresh, because it lacks what is looked for.
   *
   * Within the limits nothing is fetched: the outcome is that of the last fetch. A failure leaves the value at hand in
   * place for `current`. `joined`: it comes from a fetch that had begun before.
   */
  readonly refetched: Effect.Effect<{ readonly value: A; readonly joined: boolean }, E>
  /** Counts the last fetch as one for what the value lacks: it did not bring what was looked for either. */
  readonly noteMiss: Effect.Effect<void>
  /** Starts a fetch if one is due, and does not wait for it; does nothing where requests do not share I/O. */
  readonly prefetch: Effect.Effect<void>
  /** In which phase the value is, and the value if it may be used. Prefetches; where that does nothing, it waits. */
  readonly status: Effect.Effect<{ readonly phase: State.Phase; readonly value: A | undefined }>
}

/** What a remote value is made of. */
export interface RemoteValueOptions<A, E> {
  /** Where shared fetches run: not in the scope of the requests that wait for them. */
  readonly scope: Scope.Scope
  readonly fetch: (request: FetchRequest<A>) => Effect.Effect<State.Fetched<A>, E>
  readonly limits: State.FetchLimits
  /** Told of each change of phase, for the log and the counters. */
  readonly onChange?: ((phase: State.Phase) => Effect.Effect<void>) | undefined
  /** Where requests wait that need the value; without it any number of them does. */
  readonly room?: WaitingRoom<E> | undefined
  /** As `SharedIo`; `true` unless given. */
  readonly sharedIo?: boolean | undefined
}

/** A fetch under way. */
interface Flight<A, E> {
  /** Requests that may wait for each other's I/O wait for this. */
  readonly outcome: Deferred.Deferred<State.Fetched<A>, E>
  /** When it has ended, for requests that may not. */
  exit: Exit.Exit<State.Fetched<A>, E> | undefined
  /** Unless the request that runs it says more by then, that request is gone, and the fetch with it. */
  aliveUntil: number
}

/** What has been started: the fetch, and its outcome where the request has run it itself. */
interface Started<A, E> {
  readonly flight: Flight<A, E>
  readonly joined: boolean
  readonly own?: Exit.Exit<State.Fetched<A>, E> | undefined
}

/** How often a request says that its fetch is under way, how long that is believed, and how often the others look. */
const beatMillis = 250
const lifeMillis = 1_000
const lookMillis = 25

/**
 * Makes a remote value.
 *
 * `remoteState.ts` decides; here its decisions are carried out. Times are those of `steadyMillis.ts`. Where requests may
 * not share I/O, one of them runs the fetch for itself, and the others look again and again whether there is an outcome;
 * when its client leaves, another one takes over.
 */
export const make = <A, E>(
  { fetch, limits, onChange = () => Effect.void, room = (effect) => effect, scope, sharedIo = true }:
    RemoteValueOptions<A, E>
): RemoteValue<A, E> => {
  const millisOf = makeSteadyMillis()
  const steadyMillis = Clock.clockWith((clock) => Effect.sync(() => millisOf(clock)))
  // Plain variables: each is read and written between two suspensions only, so that no fiber sees a half-made change.
  let state: State.RemoteState<A> = State.initial
  let lastPhase: State.Phase = "empty"
  // The whole cause: a fetch that dies of a fault is backed off from like any other.
  let lastFailure: Cause.Cause<E> | undefined
  let inFlight: Flight<A, E> | undefined

  const become = (next: State.RemoteState<A>, now: number): Effect.Effect<void> => {
    state = next
    const phase = State.phase(state, now)
    if (phase === lastPhase) return Effect.void
    lastPhase = phase
    // Its faults are not to hold up those who wait for the value.
    return Effect.ignoreCause(onChange(phase))
  }

  const settle = Effect.fnUntraced(
    function*(flight: Flight<A, E>, exit: Exit.Exit<State.Fetched<A>, E>) {
      // Another request has taken over, or will: that a client has left says nothing about the provider.
      if (inFlight !== flight || (!sharedIo && Exit.hasInterrupts(exit))) return
      const now = yield* steadyMillis
      inFlight = undefined
      flight.exit = exit
      if (Exit.isFailure(exit)) lastFailure = exit.cause
      const next = Exit.isSuccess(exit)
        ? State.succeeded(state, now, limits, exit.value)
        : State.failed(state, now, limits)
      yield* become(next, now)
      yield* Deferred.done(flight.outcome, exit)
    }
  )

  /** Says again and again that a fetch is under way. */
  const beat = (flight: Flight<A, E>): Effect.Effect<never> =>
    Effect.forever(Effect.andThen(
      Effect.sleep(beatMillis),
      Effect.map(steadyMillis, (now) => {
        flight.aliveUntil = now + lifeMillis
      })
    ))

  /** Starts a fetch, or joins the one under way. Not interruptible: a fetch that is noted but never runs would hold up all. */
  const start = (now: number, extra: boolean): Effect.Effect<Started<A, E>> =>
    Effect.uninterruptible(Effect.suspend(() => {
      if (inFlight !== undefined && now < inFlight.aliveUntil) return Effect.succeed({ flight: inFlight, joined: true })
      const flight: Flight<A, E> = {
        outcome: Deferred.makeUnsafe<State.Fetched<A>, E>(),
        exit: undefined,
        aliveUntil: sharedIo ? Number.POSITIVE_INFINITY : now + lifeMillis
      }
      inFlight = flight
      const asked = fetch({ extra, previous: state.held?.value })
      const run = Effect.onExit(
        Effect.interruptible(sharedIo ? asked : Effect.raceFirst(asked, beat(flight))),
        (exit) => settle(flight, exit)
      )
      return Effect.andThen(
        become(State.started(state, now, limits, extra), now),
        sharedIo
          ? Effect.as(Effect.forkIn(run, scope, { startImmediately: true }), { flight, joined: false })
          : Effect.map(Effect.exit(run), (own) => ({ flight, joined: false, own }))
      )
    }))

  const held = (now: number): Current<A> | undefined =>
    state.held === undefined
      ? undefined
      : { value: state.held.value, latest: false, stale: State.phase(state, now) === "stale" }

  /** What serves instead of an answer that did not come. */
  const fallBack = (cause: Cause.Cause<E>) =>
    Effect.flatMap(steadyMillis, (now) => {
      const known = held(now)
      return known?.stale === true ? Effect.succeed(known) : Effect.failCause(cause)
    })

  /** The outcome of a fetch that another request runs; when that one is gone, of the next fetch. */
  const look = (flight: Flight<A, E>, extra: boolean): Effect.Effect<State.Fetched<A>, E> =>
    Effect.flatMap(Effect.andThen(Effect.sleep(lookMillis), steadyMillis), (now) => {
      if (flight.exit !== undefined) return flight.exit
      return now < flight.aliveUntil ? look(flight, extra) : fetched(now, extra)
    })

  const outcomeOf = ({ flight, own }: Started<A, E>, extra: boolean): Effect.Effect<State.Fetched<A>, E> =>
    sharedIo ? room(Deferred.await(flight.outcome)) : own ?? look(flight, extra)

  const fetched = (now: number, extra: boolean): Effect.Effect<State.Fetched<A> & { readonly joined: boolean }, E> =>
    Effect.flatMap(
      start(now, extra),
      (started) => Effect.map(outcomeOf(started, extra), (answer) => ({ ...answer, joined: started.joined }))
    )

  const current = Effect.flatMap(steadyMillis, (now): Effect.Effect<Current<A>, E> => {
    const step = State.onNeed(state, now)
    const known = held(now)
    if (known !== undefined && step === "Use") return Effect.succeed(known)
    if (known !== undefined && step === "UseAndFetch" && sharedIo) return Effect.as(start(now, false), known)
    if (step === "Refuse" && lastFailure !== undefined) return Effect.failCause(lastFailure)
    return fetched(now, false).pipe(
      Effect.map(({ joined, stored, value }) => ({ value, latest: !joined && stored === undefined, stale: false })),
      Effect.catchCause((cause) =>
        known !== undefined && step === "UseAndFetch" ? Effect.succeed(known) : fallBack(cause)
      )
    )
  })

  const refetched = Effect.flatMap(steadyMillis, (now) => {
    if (State.onMiss(state, now) === "Await") return fetched(now, true)
    if (state.failures > 0 && lastFailure !== undefined) return Effect.failCause(lastFailure)
    return state.held === undefined ? fetched(now, true) : Effect.succeed({ value: state.held.value, joined: false })
  })

  const prefetch = Effect.flatMap(steadyMillis, (now) => {
    const step = State.onNeed(state, now)
    return !sharedIo || step === "Use" || step === "Refuse" ? Effect.void : Effect.asVoid(start(now, false))
  })

  return {
    current,
    known: (clock) => State.settled(state, millisOf(clock)),
    refetched,
    noteMiss: Effect.map(steadyMillis, (now) => {
      state = State.missed(state, now, limits)
    }),
    prefetch,
    status: Effect.andThen(
      sharedIo ? prefetch : Effect.exit(current),
      Effect.map(steadyMillis, (now) => {
        const phase = State.phase(state, now)
        return { phase, value: State.hasValue(phase) ? state.held?.value : undefined }
      })
    )
  }
}

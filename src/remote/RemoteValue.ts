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
  /** Starts a fetch if one is due, and does not wait for it. */
  readonly prefetch: Effect.Effect<void>
  /** In which phase the value is now, and the value if it may be used. */
  readonly peek: Effect.Effect<{ readonly phase: State.Phase; readonly value: A | undefined }>
}

/**
 * Makes a remote value whose fetches run in `scope`, not in that of those who wait for them.
 *
 * `remoteState.ts` decides; here its decisions are carried out. Times are those of `steadyMillis.ts`.
 *
 * @param onChange told of each change of phase, for the log and the counters
 * @param room where those wait who need the value; without it any number of them does
 */
export const make = <A, E>(
  scope: Scope.Scope,
  fetch: (request: FetchRequest<A>) => Effect.Effect<State.Fetched<A>, E>,
  limits: State.FetchLimits,
  onChange: (phase: State.Phase) => Effect.Effect<void>,
  room: WaitingRoom<E> = (effect) => effect
): RemoteValue<A, E> => {
  const millisOf = makeSteadyMillis()
  const steadyMillis = Clock.clockWith((clock) => Effect.sync(() => millisOf(clock)))
  // Plain variables: each is read and written between two suspensions only, so that no fiber sees a half-made change.
  let state: State.RemoteState<A> = State.initial
  let lastPhase: State.Phase = "empty"
  // The whole cause: a fetch that dies of a fault is backed off from like any other.
  let lastFailure: Cause.Cause<E> | undefined
  let inFlight: Deferred.Deferred<State.Fetched<A>, E> | undefined

  const become = (next: State.RemoteState<A>, now: number): Effect.Effect<void> => {
    state = next
    const phase = State.phase(state, now)
    if (phase === lastPhase) return Effect.void
    lastPhase = phase
    // Its faults are not to hold up those who wait for the value.
    return Effect.ignoreCause(onChange(phase))
  }

  const settle = Effect.fnUntraced(
    function*(shared: Deferred.Deferred<State.Fetched<A>, E>, exit: Exit.Exit<State.Fetched<A>, E>) {
      const now = yield* steadyMillis
      inFlight = undefined
      if (Exit.isFailure(exit)) lastFailure = exit.cause
      const next = Exit.isSuccess(exit)
        ? State.succeeded(state, now, limits, exit.value)
        : State.failed(state, now, limits)
      yield* become(next, now)
      yield* Deferred.done(shared, exit)
    }
  )

  /** Starts a fetch, or joins the one under way. Not interruptible: a fetch that is noted but never runs would hold up all. */
  const start = (now: number, extra: boolean) =>
    Effect.uninterruptible(Effect.suspend(() => {
      if (inFlight !== undefined) return Effect.succeed({ shared: inFlight, joined: true })
      const shared = Deferred.makeUnsafe<State.Fetched<A>, E>()
      inFlight = shared
      const run = Effect.onExit(
        Effect.interruptible(fetch({ extra, previous: state.held?.value })),
        (exit) => settle(shared, exit)
      )
      return Effect.andThen(
        become(State.started(state, now, limits, extra), now),
        Effect.as(Effect.forkIn(run, scope, { startImmediately: true }), { shared, joined: false })
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

  const fetched = (now: number, extra: boolean) =>
    Effect.flatMap(
      start(now, extra),
      ({ joined, shared }) => Effect.map(room(Deferred.await(shared)), (answer) => ({ ...answer, joined }))
    )

  const current = Effect.flatMap(steadyMillis, (now) => {
    const step = State.onNeed(state, now)
    const known = held(now)
    if (known !== undefined && step === "Use") return Effect.succeed(known)
    if (known !== undefined && step === "UseAndFetch") return Effect.as(start(now, false), known)
    if (step === "Refuse" && lastFailure !== undefined) return Effect.failCause(lastFailure)
    return fetched(now, false).pipe(
      Effect.map(({ joined, stored, value }) => ({ value, latest: !joined && stored === undefined, stale: false })),
      Effect.catchCause(fallBack)
    )
  })

  const refetched = Effect.flatMap(steadyMillis, (now) => {
    if (State.onMiss(state, now) === "Await") return fetched(now, true)
    if (state.failures > 0 && lastFailure !== undefined) return Effect.failCause(lastFailure)
    return state.held === undefined ? fetched(now, true) : Effect.succeed({ value: state.held.value, joined: false })
  })

  return {
    current,
    known: (clock) => State.settled(state, millisOf(clock)),
    refetched,
    noteMiss: Effect.map(steadyMillis, (now) => {
      state = State.missed(state, now, limits)
    }),
    prefetch: Effect.flatMap(steadyMillis, (now) => {
      const step = State.onNeed(state, now)
      return step === "Use" || step === "Refuse" ? Effect.void : Effect.asVoid(start(now, false))
    }),
    peek: Effect.map(steadyMillis, (now) => {
      const phase = State.phase(state, now)
      return { phase, value: State.hasValue(phase) ? state.held?.value : undefined }
    })
  }
}

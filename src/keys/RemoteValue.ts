import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as State from "./remoteState.ts"

/** What a fetch is told. */
export interface FetchRequest<A> {
  /** It is for what a fresh value lacks. */
  readonly extra: boolean
  /** The value that it is to replace, however old. */
  readonly previous: A | undefined
}

/** What a fetch brought, and for how long it may be used. */
export interface Fetched<A> {
  readonly value: A
  readonly freshMillis: number
}

/** A value that may be used now. */
export interface Current<A> {
  readonly value: A
  /** The caller waited for it, so that there cannot be a newer one. */
  readonly fetched: boolean
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
  /**
   * The value after another fetch although the one at hand is fresh, because it lacks what is looked for.
   *
   * Within the limits nothing is fetched: the outcome is that of the last fetch. A failure leaves the value at hand in
   * place for `current`.
   */
  readonly refetched: Effect.Effect<A, E>
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
 * `remoteState.ts` decides; here its decisions are carried out. Times are those of Effect's `Clock`.
 *
 * @param onChange told of each change of phase, for the log and the counters
 */
export const make = <A, E>(
  scope: Scope.Scope,
  fetch: (request: FetchRequest<A>) => Effect.Effect<Fetched<A>, E>,
  limits: State.FetchLimits,
  onChange: (phase: State.Phase) => Effect.Effect<void>
): RemoteValue<A, E> => {
  // Plain variables: each is read and written between two suspensions only, so that no fiber sees a half-made change.
  let state: State.RemoteState<A> = State.initial
  let lastPhase: State.Phase = "empty"
  let lastError: E | undefined
  let inFlight: Deferred.Deferred<A, E> | undefined

  const become = (next: State.RemoteState<A>, now: number): Effect.Effect<void> => {
    state = next
    const phase = State.phase(state, now)
    if (phase === lastPhase) return Effect.void
    lastPhase = phase
    return onChange(phase)
  }

  const settle = Effect.fnUntraced(function*(shared: Deferred.Deferred<A, E>, exit: Exit.Exit<Fetched<A>, E>) {
    const now = yield* Clock.currentTimeMillis
    inFlight = undefined
    if (Exit.isSuccess(exit)) {
      const { freshMillis, value } = exit.value
      yield* become(State.succeeded(state, now, limits, value, freshMillis), now)
    } else {
      const error = Exit.findError(exit)
      if (error._tag === "Success") lastError = error.success
      yield* become(State.failed(state, now, limits), now)
    }
    yield* Deferred.done(shared, Exit.map(exit, (fetched) => fetched.value))
  })

  /** Starts a fetch, or joins the one under way. */
  const start = (now: number, extra: boolean) =>
    Effect.suspend(() => {
      if (inFlight !== undefined) return Effect.succeed(inFlight)
      const shared = Deferred.makeUnsafe<A, E>()
      inFlight = shared
      return Effect.andThen(
        become(State.started(state, now, limits, extra), now),
        Effect.onExit(
          Effect.interruptible(fetch({ extra, previous: state.held?.value })),
          (exit) => settle(shared, exit)
        ).pipe(
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.as(shared)
        )
      )
    })

  const held = (now: number): Current<A> | undefined =>
    state.held === undefined
      ? undefined
      : { value: state.held.value, fetched: false, stale: State.phase(state, now) === "stale" }

  /** What serves instead of an answer that did not come. */
  const fallBack = (error: E, now: number) => {
    const known = held(now)
    return known?.stale === true ? Effect.succeed(known) : Effect.fail(error)
  }

  const awaited = (now: number) =>
    Effect.flatMap(start(now, false), Deferred.await).pipe(
      Effect.map((value): Current<A> => ({ value, fetched: true, stale: false })),
      Effect.catch((error) => Effect.flatMap(Clock.currentTimeMillis, (now) => fallBack(error, now)))
    )

  const current = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const step = State.onNeed(state, now)
    const known = held(now)
    if (known !== undefined && step === "Use") return Effect.succeed(known)
    if (known !== undefined && step === "UseAndFetch") return Effect.as(start(now, false), known)
    return step === "Refuse" && lastError !== undefined ? Effect.fail(lastError) : awaited(now)
  })

  const refetched = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (State.onMiss(state, now) === "Await") return Effect.flatMap(start(now, true), Deferred.await)
    if (state.failures > 0 && lastError !== undefined) return Effect.fail(lastError)
    const known = held(now)
    return known === undefined ? Effect.flatMap(start(now, true), Deferred.await) : Effect.succeed(known.value)
  })

  return {
    current,
    refetched,
    noteMiss: Effect.map(Clock.currentTimeMillis, (now) => {
      state = State.missed(state, now, limits)
    }),
    prefetch: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const step = State.onNeed(state, now)
      return step === "Use" || step === "Refuse" ? Effect.void : Effect.asVoid(start(now, false))
    }),
    peek: Effect.map(Clock.currentTimeMillis, (now) => {
      const phase = State.phase(state, now)
      return { phase, value: State.hasValue(phase) ? state.held?.value : undefined }
    })
  }
}

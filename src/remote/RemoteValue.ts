import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { WaitingRoom } from "../fairness/waitingRoom.ts"
import type { DocumentStore } from "./documentStore.ts"
import * as State from "./remoteState.ts"
import { makeSteadyMillis } from "./steadyMillis.ts"

/** What a fetch is told. */
export interface FetchRequest<A> {
  /** It is for what a fresh value lacks. */
  readonly extra: boolean
  /** The value that it is to replace, however old. */
  readonly previous: A | undefined
  /** What `locate` gave. */
  readonly uri: string
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
  readonly peek: (clock: Clock.Clock) => A | undefined
  /** The value at hand, however old. */
  readonly held: () => A | undefined
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
  /** Finds out where the value is, before each fetch. */
  readonly locate?: Effect.Effect<string, E> | undefined
  readonly fetch: (request: FetchRequest<A>) => Effect.Effect<State.Fetched<A>, E>
  /** What finding and fetching go through together: a timeout, a line in the log. */
  readonly attempt?: (<B>(effect: Effect.Effect<B, E>) => Effect.Effect<B, E>) | undefined
  readonly limits: State.FetchLimits
  /** Told of each change of phase, for the log and the counters. */
  readonly onChange?: ((phase: State.Phase) => Effect.Effect<void>) | undefined
  /** Where requests wait that need the value; without it any number of them does. */
  readonly room?: WaitingRoom<E> | undefined
  /** Where instances leave to each other what they know; it is asked before the provider is. */
  readonly store?: DocumentStore<A> | undefined
  /** The failure while another instance backs off from the provider. */
  readonly backedOff: () => E
  /** As `SharedIo`; `true` unless given. */
  readonly sharedIo?: boolean | undefined
}

/** What a fetch has brought. */
interface Outcome<A> {
  readonly value: A
  /** The provider was asked for it just now. */
  readonly latest: boolean
}

/** How a fetch ends that does not fail: others knew the value, or back off from the provider, or it was asked. */
type Brought<A> =
  | { readonly _tag: "Recalled"; readonly value: A }
  | { readonly _tag: "BackedOff" }
  | { readonly _tag: "Fetched"; readonly fetched: State.Fetched<A> }

/** A fetch under way. */
interface Flight<A, E> {
  /** Requests that may wait for each other's I/O wait for this. */
  readonly outcome: Deferred.Deferred<Outcome<A>, E>
  /** When it has ended, for requests that may not. */
  exit: Exit.Exit<Outcome<A>, E> | undefined
  /** Unless the request that runs it says more by then, that request is gone, and the fetch with it. */
  aliveUntil: number
}

/** What has been started: the fetch, and its outcome where the request has run it itself. */
interface Started<A, E> {
  readonly flight: Flight<A, E>
  readonly joined: boolean
  readonly own?: Exit.Exit<Outcome<A>, E> | undefined
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
  // Plain variables: each is read and written between two suspensions only, so that no fiber sees a half-made change.
  let state: State.RemoteState<A> = State.initial
  let lastPhase: State.Phase = "empty"
  // The whole cause: a fetch that dies of a fault is backed off from like any other.
  let lastFailure: Cause.Cause<E> | undefined
  let inFlight: Flight<A, E> | undefined
  // What `locate` gave last.
  let located: string | undefined

  const become = (next: State.RemoteState<A>, now: number): Effect.Effect<void> => {
    state = next
    const phase = State.phase(state, now)
    if (phase === lastPhase) return Effect.void
    lastPhase = phase
    // A fault in it must not hold up the callers that wait for the value.
    return Effect.ignoreCause(onChange(phase))
  }

  /** Leaves to others what is known now. */
  const share = Effect.suspend(() => {
    const uri = located
    return store === undefined || uri === undefined
      ? Effect.void
      : Effect.flatMap(steadyMillis, (now) => store.write(uri, now, state))
  })

  /** What others know, as far as it makes a fetch needless. */
  const recall = Effect.fnUntraced(function*(uri: string): Effect.fn.Return<Brought<A> | undefined> {
    if (store === undefined) return undefined
    const theirs = yield* store.read(uri, yield* steadyMillis, state.held?.value)
    if (theirs === undefined) return undefined
    state = State.adopted(state, theirs)
    const step = State.onNeed(State.rested(state), yield* steadyMillis)
    if (step === "Refuse") return { _tag: "BackedOff" }
    return step === "Use" && state.held !== undefined ? { _tag: "Recalled", value: state.held.value } : undefined
  })

  const obtain = (extra: boolean): Effect.Effect<Brought<A>, E> =>
    attempt(Effect.gen(function*(): Effect.fn.Return<Brought<A>, E> {
      const uri = located = yield* locate
      // What a fresh value lacks is not in the store either: it came from there, or went there.
      const recalled = extra ? undefined : yield* recall(uri)
      if (recalled !== undefined) return recalled
      // Before the response is here, so that the other instances do not ask as well.
      if (extra && !sharedIo) yield* share
      return { _tag: "Fetched", fetched: yield* fetch({ extra, previous: state.held?.value, uri }) }
    }))

  /** The outcome of a fetch for the callers that need the value. */
  const outcomeOf = (exit: Exit.Exit<Brought<A>, E>): Exit.Exit<Outcome<A>, E> => {
    if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
    const brought = exit.value
    switch (brought._tag) {
      case "Fetched":
        return Exit.succeed({ value: brought.fetched.value, latest: true })
      case "Recalled":
        return Exit.succeed({ value: brought.value, latest: false })
      case "BackedOff":
        return Exit.fail(backedOff())
    }
  }

  const stateAfter = (exit: Exit.Exit<Brought<A>, E>, now: number): State.RemoteState<A> => {
    if (Exit.isFailure(exit)) return State.failed(state, now, limits)
    return exit.value._tag === "Fetched"
      ? State.succeeded(state, now, limits, exit.value.fetched)
      : State.rested(state)
  }

  const settle = Effect.fnUntraced(function*(flight: Flight<A, E>, exit: Exit.Exit<Brought<A>, E>) {
    // Another request has taken over, or will: that a client has left says nothing about the provider.
    if (inFlight !== flight || (!sharedIo && Exit.hasInterrupts(exit))) return
    const now = yield* steadyMillis
    inFlight = undefined
    const outcome = flight.exit = outcomeOf(exit)
    if (Exit.isFailure(outcome)) lastFailure = outcome.cause
    yield* become(stateAfter(exit, now), now)
    // Failures only where all instances are one to the provider.
    if (Exit.isSuccess(exit) ? exit.value._tag === "Fetched" : !sharedIo) yield* share
    yield* Deferred.done(flight.outcome, outcome)
  })

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
        outcome: Deferred.makeUnsafe<Outcome<A>, E>(),
        exit: undefined,
        aliveUntil: sharedIo ? Number.POSITIVE_INFINITY : now + lifeMillis
      }
      inFlight = flight
      const obtained = obtain(extra)
      const run = Effect.onExit(
        Effect.interruptible(sharedIo ? obtained : Effect.raceFirst(obtained, beat(flight))),
        (exit) => settle(flight, exit)
      )
      return Effect.andThen(
        become(State.started(state, now, limits, extra), now),
        sharedIo
          ? Effect.as(Effect.forkIn(run, scope, { startImmediately: true }), { flight, joined: false })
          : Effect.map(Effect.exit(run), (own) => ({ flight, joined: false, own: outcomeOf(own) }))
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
      (started) => Effect.map(awaited(started, extra), (answer) => ({ ...answer, joined: started.joined }))
    )

  const current = Effect.flatMap(steadyMillis, (now): Effect.Effect<Current<A>, E> => {
    const step = State.onNeed(state, now)
    const known = held(now)
    if (known !== undefined && step === "Use") return Effect.succeed(known)
    if (known !== undefined && step === "UseAndFetch" && sharedIo) return Effect.as(start(now, false), known)
    if (step === "Refuse" && lastFailure !== undefined) return Effect.failCause(lastFailure)
    return fetched(now, false).pipe(
      Effect.map(({ joined, latest, value }) => ({ value, latest: latest && !joined, stale: false })),
      Effect.catchCause((cause) =>
        known !== undefined && step === "UseAndFetch" ? Effect.succeed(known) : fallBack(cause)
      )
    )
  })

  const refetched = Effect.flatMap(steadyMillis, (now) => {
    if (State.onMiss(state, now) === "Await") return fetched(now, true)
    if (state.failures > 0) return Effect.failCause(lastFailure ?? Cause.fail(backedOff()))
    return state.held === undefined ? fetched(now, true) : Effect.succeed({ value: state.held.value, joined: false })
  })

  const prefetch = Effect.flatMap(steadyMillis, (now) => {
    const step = State.onNeed(state, now)
    return !sharedIo || step === "Use" || step === "Refuse" ? Effect.void : Effect.asVoid(start(now, false))
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
    )
  }
}

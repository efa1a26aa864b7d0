import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

/** What a fetch brought, and for how long it may be used. */
export interface Fetched<A> {
  readonly value: A
  readonly freshMillis: number
}

/** How often a provider is asked, in milliseconds. */
export interface FetchLimits {
  /** After a failure nobody asks again for so long. */
  readonly backOffMillis: number
  /** Between two fetches that are made although the value is fresh, failed ones included. */
  readonly refetchMillis: number
}

/** One value that lives at a provider, fetched when it is needed and kept while it is fresh. */
export interface RemoteValue<A, E> {
  /**
   * The value, fetched if there is no fresh one.
   *
   * Callers at the same time share one fetch, which goes on when they leave. `fetched` says that the caller waited for
   * it, so that the value cannot be newer. Fails with the failure of the last fetch while that is backed off from.
   */
  readonly current: Effect.Effect<{ readonly value: A; readonly fetched: boolean }, E>
  /**
   * The value after another fetch although the one at hand is fresh, because it lacks what is looked for.
   *
   * Within the refetch limit nothing is fetched: the outcome is that of the last fetch. A failure leaves the value at
   * hand in place for `current`.
   */
  readonly refetched: Effect.Effect<A, E>
  /** Counts the last fetch as a refetch: it did not bring what was looked for either. */
  readonly noteMiss: Effect.Effect<void>
  /** The value at hand without waiting, `undefined` once a stale one could not be fetched again. */
  readonly peek: Effect.Effect<A | undefined>
  /** Starts a fetch if there is no fresh value, and does not wait for it. */
  readonly prefetch: Effect.Effect<void>
}

/**
 * Makes a remote value whose fetches run in `scope`, not in that of those who wait for them.
 *
 * Times are those of Effect's `Clock`.
 */
export const make = <A, E>(
  scope: Scope.Scope,
  fetch: Effect.Effect<Fetched<A>, E>,
  limits: FetchLimits
): RemoteValue<A, E> => {
  // Plain variables: each is read and written between two suspensions only, so that no fiber sees a half-made change.
  let held: { readonly value: A; readonly freshUntil: number } | undefined
  let failure: { readonly error: E; readonly retryAt: number } | undefined
  let lastRefetch = Number.NEGATIVE_INFINITY
  let inFlight: Deferred.Deferred<A, E> | undefined

  const settle = Effect.fnUntraced(function*(shared: Deferred.Deferred<A, E>, exit: Exit.Exit<Fetched<A>, E>) {
    const now = yield* Clock.currentTimeMillis
    inFlight = undefined
    if (Exit.isSuccess(exit)) {
      held = { value: exit.value.value, freshUntil: now + exit.value.freshMillis }
      failure = undefined
    } else {
      const error = Exit.findError(exit)
      failure = error._tag === "Success" ? { error: error.success, retryAt: now + limits.backOffMillis } : undefined
    }
    yield* Deferred.done(shared, Exit.map(exit, (fetched) => fetched.value))
  })

  /** Starts a fetch, or joins the one under way. */
  const start = Effect.suspend(() => {
    if (inFlight !== undefined) return Effect.succeed(inFlight)
    const shared = Deferred.makeUnsafe<A, E>()
    inFlight = shared
    return Effect.onExit(Effect.interruptible(fetch), (exit) => settle(shared, exit)).pipe(
      Effect.forkIn(scope, { startImmediately: true }),
      Effect.as(shared)
    )
  })

  const fetched = Effect.flatMap(start, Deferred.await)

  const current = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (held !== undefined && now < held.freshUntil) return Effect.succeed({ value: held.value, fetched: false })
    if (inFlight === undefined && failure !== undefined && now < failure.retryAt) return Effect.fail(failure.error)
    return Effect.map(fetched, (value) => ({ value, fetched: true }))
  })

  const refetched = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (inFlight === undefined && now < lastRefetch + limits.refetchMillis) {
      if (failure !== undefined) return Effect.fail(failure.error)
      if (held !== undefined) return Effect.succeed(held.value)
    }
    lastRefetch = now
    return fetched
  })

  return {
    current,
    refetched,
    noteMiss: Effect.map(Clock.currentTimeMillis, (now) => {
      lastRefetch = now
    }),
    peek: Effect.map(
      Clock.currentTimeMillis,
      (now) => held !== undefined && (now < held.freshUntil || failure === undefined) ? held.value : undefined
    ),
    prefetch: Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        (held !== undefined && now < held.freshUntil) || (failure !== undefined && now < failure.retryAt)
          ? Effect.void
          : Effect.asVoid(start)
    )
  }
}

/**
 * The state of a cached document of a provider: when it may be used, and when it must be fetched.
 *
 * Pure; `RemoteValue.ts` runs the fetches. Times are milliseconds of a monotonic clock.
 */

/** How often a provider is requested, and how long a value is used during an outage. */
export interface FetchLimits {
  /** The pause after a failure. */
  readonly backOffMillis: number
  /**
   * How long the provider counts as down after a failure. Longer than the pause, so that callers do not have to wait
   * for retries.
   */
  readonly downMillis: number
  /** The pause between two fetches of a fresh value because something is missing in it, including failed ones. */
  readonly extraMillis: number
  /** How long before its expiry a fresh value is fetched again when it is used. */
  readonly aheadMillis: number
  /** How long after its expiry a value is used while the provider is down. */
  readonly staleMillis: number
}

export interface Held<A> {
  readonly value: A
  /** From this time on, the value is fetched again in the background, and remains usable. */
  readonly refreshAt: number
  /** Until this time, the value may be used without a fetch. */
  readonly freshUntil: number
  /** Until this time, the value may be used while the provider is down. */
  readonly staleUntil: number
}

export interface RemoteState<A> {
  readonly held: Held<A> | undefined
  readonly fetching: boolean
  /** The number of failed fetches since the last successful one. */
  readonly failures: number
  /** After a failure, no fetch starts before this time. */
  readonly retryAt: number
  /** After a failure, the provider counts as down until this time. */
  readonly downUntil: number
  /** A fresh value is not fetched again because of something missing before this time. */
  readonly extraAt: number
}

/** The phases, in the order in which a document can reach them. */
export const phases = ["empty", "pending", "fresh", "refreshing", "expired", "stale", "unavailable"] as const

/**
 * The phase of a cached document, for operators.
 *
 * `empty`: never fetched. `pending`: not usable yet, the first fetch is running. `fresh`: usable. `refreshing`: usable,
 * and being fetched again. `expired`: will be fetched again when it is next needed. `stale`: expired, but used because
 * the provider is down. `unavailable`: not usable, and the provider is down.
 */
export type Phase = typeof phases[number]

/** Whether there is a value in this phase, even if it must be fetched again before use. */
export const hasValue = (phase: Phase): boolean =>
  phase === "fresh" || phase === "refreshing" || phase === "expired" || phase === "stale"

/** What to do for a caller that needs the value. */
export type Step =
  | "Use"
  /** Use the held value, and fetch it again in the background. */
  | "UseAndFetch"
  /** Wait for the running fetch, or start one. */
  | "Await"
  /** Fail: the pause after the last failure is not over. */
  | "GiveUp"

/** The members of a state without failures. */
export const withoutFailures = {
  failures: 0,
  retryAt: Number.NEGATIVE_INFINITY,
  downUntil: Number.NEGATIVE_INFINITY
}

export const initial: RemoteState<never> = {
  held: undefined,
  fetching: false,
  ...withoutFailures,
  extraAt: Number.NEGATIVE_INFINITY
}

export const phase = <A>({ downUntil, failures, fetching, held }: RemoteState<A>, now: number): Phase => {
  if (held !== undefined && now < held.freshUntil) return fetching ? "refreshing" : "fresh"
  if (held !== undefined && now < held.staleUntil) return now < downUntil ? "stale" : "expired"
  if (failures > 0) return "unavailable"
  return fetching ? "pending" : "empty"
}

/**
 * Decides what to do for a caller that needs the value, regardless of the value's content.
 *
 * An expired value is fetched before it is used, so that keys withdrawn from it are no longer trusted. Only after a
 * recent failed attempt is it used without waiting.
 */
export const onNeed = <A>(state: RemoteState<A>, now: number): Step => {
  const { downUntil, fetching, held, retryAt } = state
  const mayFetch = !fetching && now >= retryAt
  if (held !== undefined && now < held.freshUntil) return mayFetch && now >= held.refreshAt ? "UseAndFetch" : "Use"
  if (held !== undefined && now < held.staleUntil && now < downUntil) return mayFetch ? "UseAndFetch" : "Use"
  return fetching || mayFetch ? "Await" : "GiveUp"
}

/** Returns the value if it is fresh and no fetch is due. */
export const settled = <A>(state: RemoteState<A>, now: number): A | undefined =>
  state.held !== undefined && now < state.held.freshUntil && onNeed(state, now) === "Use"
    ? state.held.value
    : undefined

/** Decides what to do if the current value lacks something that a newer value may have. */
export const onMiss = <A>({ extraAt, fetching, retryAt }: RemoteState<A>, now: number): "Await" | "GiveUp" =>
  fetching || (now >= extraAt && now >= retryAt) ? "Await" : "GiveUp"

/** Records that a fetch starts. `extra`: because a fresh value lacks something. */
export const started = <A>(
  state: RemoteState<A>,
  now: number,
  limits: FetchLimits,
  extra: boolean
): RemoteState<A> => ({
  ...state,
  fetching: true,
  extraAt: extra ? now + limits.extraMillis : state.extraAt
})

/** Counts an ordinary fetch as an extra one, because it did not bring what its caller needed. */
export const missed = <A>(state: RemoteState<A>, now: number, limits: FetchLimits): RemoteState<A> => ({
  ...state,
  extraAt: now + limits.extraMillis
})

/** A fetched value, and how long it may be used. */
export interface Fetched<A> {
  readonly value: A
  readonly freshMillis: number
}

export const heldUntil = <A>(value: A, freshUntil: number, limits: FetchLimits): Held<A> => ({
  value,
  refreshAt: freshUntil - limits.aheadMillis,
  freshUntil,
  staleUntil: freshUntil + limits.staleMillis
})

/** Records that the fetch succeeded. Its value replaces the current one. */
export const succeeded = <A>(
  state: RemoteState<A>,
  now: number,
  limits: FetchLimits,
  { freshMillis, value }: Fetched<A>
): RemoteState<A> => ({
  held: heldUntil(value, now + freshMillis, limits),
  fetching: false,
  ...withoutFailures,
  extraAt: state.extraAt
})

/**
 * Merges the state that other instances stored: a newer value replaces the current one, and their limits apply as well.
 */
export const adopted = <A>(state: RemoteState<A>, theirs: RemoteState<A>): RemoteState<A> => {
  const isNewer = theirs.held !== undefined && theirs.held.freshUntil > (state.held?.freshUntil ?? 0)
  const failing = isNewer || theirs.retryAt >= state.retryAt ? theirs : state
  return {
    ...state,
    held: isNewer ? theirs.held : state.held,
    failures: failing.failures,
    retryAt: failing.retryAt,
    downUntil: failing.downUntil,
    extraAt: Math.max(state.extraAt, theirs.extraAt)
  }
}

/** Records that the fetch ended without a request to the provider. */
export const rested = <A>(state: RemoteState<A>): RemoteState<A> => ({ ...state, fetching: false })

/** Records that the fetch failed. The current value is kept. */
export const failed = <A>(state: RemoteState<A>, now: number, limits: FetchLimits): RemoteState<A> => ({
  ...state,
  fetching: false,
  failures: state.failures + 1,
  retryAt: now + limits.backOffMillis,
  downUntil: now + limits.downMillis
})

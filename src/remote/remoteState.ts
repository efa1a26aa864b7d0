/**
 * What is known about one document at a provider, as data: when it may be used, and when it is to be asked for.
 *
 * Pure; `RemoteValue.ts` runs the fetches. Times are milliseconds of a clock that never goes back.
 */

/** How often a provider is asked, and how long its silence is bridged. */
export interface FetchLimits {
  /** The pause after a failure. */
  readonly backOffMillis: number
  /** How long a failure says that the provider is down. Longer than the pause, so that callers need not wait for each retry. */
  readonly downMillis: number
  /** Between two fetches of a fresh value for what it lacks, failed ones included. */
  readonly extraMillis: number
  /** How long before its end a fresh value that is asked for is fetched again. */
  readonly aheadMillis: number
  /** How long after its end a value serves while the provider is down. */
  readonly staleMillis: number
}

/** A value that a fetch has brought. */
export interface Held<A> {
  readonly value: A
  /** From here on it is fetched again in the background, while it still serves. */
  readonly refreshAt: number
  /** Until here it serves without question. */
  readonly freshUntil: number
  /** Until here it serves while the provider cannot be asked. */
  readonly staleUntil: number
}

export interface RemoteState<A> {
  readonly held: Held<A> | undefined
  readonly fetching: boolean
  /** Failed fetches since the last good one. */
  readonly failures: number
  /** After a failure nobody asks before this. */
  readonly retryAt: number
  /** After a failure the provider counts as down until here. */
  readonly downUntil: number
  /** A fresh value is not fetched again for what it lacks before this. */
  readonly extraAt: number
}

/**
 * The state in an operator's words.
 *
 * `empty`: never asked. `pending`: nothing to use yet, being asked for. `fresh`: usable. `refreshing`: usable, and being
 * fetched again. `expired`: past its end, and asked for again when somebody needs it. `stale`: past its end, usable
 * because the provider is down. `unavailable`: nothing to use, and the provider is down.
 */
export type Phase = "empty" | "pending" | "fresh" | "refreshing" | "expired" | "stale" | "unavailable"

/** Whether there is a value in this phase, be it one that has to be asked for again before it is used. */
export const hasValue = (phase: Phase): boolean =>
  phase === "fresh" || phase === "refreshing" || phase === "expired" || phase === "stale"

/** What a caller is to do who needs the value. */
export type Step =
  /** Take the held value. */
  | "Use"
  /** Take the held value, and let it be fetched again meanwhile. */
  | "UseAndFetch"
  /** Wait for the fetch that is under way, or start one. */
  | "Await"
  /** Give up: the last failure is still backed off from. */
  | "Refuse"

/** As if there had been no failures. */
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
 * What to do for a caller who needs the value, whatever it holds.
 *
 * Past its end the value is asked for before it is used, so that what was withdrawn from it is not believed for longer;
 * only once an attempt has failed, and not long ago, does it serve without waiting.
 */
export const onNeed = <A>(state: RemoteState<A>, now: number): Step => {
  const { downUntil, fetching, held, retryAt } = state
  const mayFetch = !fetching && now >= retryAt
  if (held !== undefined && now < held.freshUntil) return mayFetch && now >= held.refreshAt ? "UseAndFetch" : "Use"
  if (held !== undefined && now < held.staleUntil && now < downUntil) return mayFetch ? "UseAndFetch" : "Use"
  return fetching || mayFetch ? "Await" : "Refuse"
}

/** The value, if it is fresh and there is nothing to do but to take it. */
export const settled = <A>(state: RemoteState<A>, now: number): A | undefined =>
  state.held !== undefined && now < state.held.freshUntil && onNeed(state, now) === "Use"
    ? state.held.value
    : undefined

/** What to do for a caller whom the held value lacks something that a newer one may have. */
export const onMiss = <A>({ extraAt, fetching, retryAt }: RemoteState<A>, now: number): "Await" | "Refuse" =>
  fetching || (now >= extraAt && now >= retryAt) ? "Await" : "Refuse"

/** A fetch begins. `extra`: for what a fresh value lacks. */
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

/** An ordinary fetch did not bring what its caller looked for: it counts as an extra one. */
export const missed = <A>(state: RemoteState<A>, now: number, limits: FetchLimits): RemoteState<A> => ({
  ...state,
  extraAt: now + limits.extraMillis
})

/** What a fetch brought, and for how long it may be used. */
export interface Fetched<A> {
  readonly value: A
  readonly freshMillis: number
}

/** A value that is fresh until then. */
export const heldUntil = <A>(value: A, freshUntil: number, limits: FetchLimits): Held<A> => ({
  value,
  refreshAt: freshUntil - limits.aheadMillis,
  freshUntil,
  staleUntil: freshUntil + limits.staleMillis
})

/** The fetch has brought a value, which replaces the held one. */
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

/** Others have asked the provider some time ago: what they know replaces what is older here, and their limits count, too. */
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

/** The fetch is over, and the provider was not asked. */
export const rested = <A>(state: RemoteState<A>): RemoteState<A> => ({ ...state, fetching: false })

/** The fetch has failed; the held value stays. */
export const failed = <A>(state: RemoteState<A>, now: number, limits: FetchLimits): RemoteState<A> => ({
  ...state,
  fetching: false,
  failures: state.failures + 1,
  retryAt: now + limits.backOffMillis,
  downUntil: now + limits.downMillis
})

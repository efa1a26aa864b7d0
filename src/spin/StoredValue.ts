/**
 * One document of a provider in the host's key-value store, for instances that live for one request.
 *
 * The counterpart of `keys/RemoteValue.ts`: the same rules, from `keys/remoteState.ts`, on a state that stands in the store
 * as `{"value": {…}, "expires_at", "retry_at", "down_until", "extra_until", "failures"}`, times in seconds since 1970. A
 * failed attempt is written down as well, or every instance would make its own.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import { isJsonObject, type JsonObject, own } from "../remote/JsonObject.ts"
import { providerLimits } from "../remote/providerLimits.ts"
import * as State from "../remote/remoteState.ts"

type StoredState = State.RemoteState<JsonObject>

/** What was fetched, and for how long it may be used. */
export interface Fetched {
  readonly value: JsonObject
  readonly freshMillis: number
}

export interface StoredValue<E> {
  /** The document: from the store while it is fresh or the provider is down, else fetched. `latest`: fetched just now. */
  readonly current: Effect.Effect<{ readonly value: JsonObject; readonly latest: boolean }, E>
  /** The document after another fetch, because what `current` gave lacks something; within the limits. */
  readonly refetched: Effect.Effect<JsonObject, E>
  /** Counts the last fetch as one for what the document lacks. */
  readonly noteMiss: Effect.Effect<void>
  /** In which phase the document is, after it was asked for where that is due. Never fails. */
  readonly phase: Effect.Effect<State.Phase>
}

// No answer of a provider is fresh for longer, so an entry that says so is not ours.
const maxFreshMillis = 86_400_000

// What a provider may send, and the frame around it.
const maxLength = 1_100_000

/** A time of an entry, at most `ahead` from now: what lies further ahead was written by a clock that was wrong. */
const timeOf = (entry: JsonObject, name: string, now: number, ahead: number): number => {
  const seconds = own(entry, name)
  return typeof seconds === "number" && seconds * 1000 <= now + ahead ? seconds * 1000 : Number.NEGATIVE_INFINITY
}

const decode = (text: string, now: number): StoredState => {
  // As it was written by `encode`: no two members have one name.
  const entry = text.length > maxLength ? undefined : Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  if (!isJsonObject(entry)) return State.initial
  const value = own(entry, "value")
  const failures = own(entry, "failures")
  const freshUntil = timeOf(entry, "expires_at", now, maxFreshMillis)
  return {
    held: isJsonObject(value) && Number.isFinite(freshUntil)
      ? {
        value,
        freshUntil,
        refreshAt: freshUntil - providerLimits.aheadMillis,
        staleUntil: freshUntil + providerLimits.staleMillis
      }
      : undefined,
    fetching: false,
    failures: typeof failures === "number" ? failures : 0,
    retryAt: timeOf(entry, "retry_at", now, providerLimits.backOffMillis),
    downUntil: timeOf(entry, "down_until", now, providerLimits.downMillis),
    extraAt: timeOf(entry, "extra_until", now, providerLimits.extraMillis)
  }
}

/** What stands in an entry, if `current` would give it without asking the provider; `undefined`: only `current` can say. */
export const usable = (text: string, now: number): JsonObject | undefined => {
  const state = decode(text, now)
  return State.onNeed(state, now) === "Use" ? state.held?.value : undefined
}

// JSON has no infinity, and leaves members out that are undefined.
const seconds = (millis: number | undefined): number | undefined =>
  millis !== undefined && Number.isFinite(millis) ? millis / 1000 : undefined

const encode = ({ downUntil, extraAt, failures, held, retryAt }: StoredState): string =>
  JSON.stringify({
    value: held?.value,
    expires_at: seconds(held?.freshUntil),
    retry_at: seconds(retryAt),
    down_until: seconds(downUntil),
    extra_until: seconds(extraAt),
    failures
  })

/**
 * Makes the access to one document.
 *
 * The store may fail: then the document is fetched each time, and the log says so.
 *
 * @param name of the entry
 * @param fetch asks the provider; it is told what the document is to replace, however old
 * @param unavailable the failure while an earlier one is backed off from
 */
export const make = <E>(
  store: KeyValueStore.KeyValueStore,
  name: string,
  fetch: (previous: JsonObject | undefined) => Effect.Effect<Fetched, E>,
  unavailable: () => E
): StoredValue<E> => {
  // What this instance has read or written last.
  let state: StoredState = State.initial

  const failing = (operation: string) =>
    Effect.logWarning(`The key-value store failed: ${operation}`).pipe(Effect.annotateLogs({ entry: name }))

  const write = (next: StoredState) => {
    state = next
    const text = encode(next)
    if (text.length > maxLength) return Effect.void
    return Effect.catch(store.set(name, text), () => failing("write"))
  }

  const read = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const text = yield* Effect.catch(store.get(name), () => Effect.as(failing("read"), undefined))
    state = text === undefined ? State.initial : decode(text, now)
    return now
  })

  const fetchNow = Effect.fnUntraced(function*(now: number, extra: boolean): Effect.fn.Return<JsonObject, E> {
    const started = State.started(state, now, providerLimits, extra)
    // Before the answer is here, so that the other instances do not ask as well.
    if (extra) yield* write(started)
    return yield* fetch(started.held?.value).pipe(
      Effect.tap((fetched) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (then) => write(State.succeeded(started, then, providerLimits, fetched))
        )
      ),
      Effect.tapError(() =>
        Effect.flatMap(Clock.currentTimeMillis, (then) => write(State.failed(started, then, providerLimits)))
      ),
      Effect.map(({ value }) => value)
    )
  })

  const current = Effect.gen(function*() {
    const now = yield* read
    const { held } = state
    const step = State.onNeed(state, now)
    if (step === "Use" && held !== undefined) return { value: held.value, latest: false }
    if (step === "Refuse") return yield* Effect.fail(unavailable())
    return yield* fetchNow(now, false).pipe(
      Effect.map((value) => ({ value, latest: true })),
      Effect.catch((error) =>
        held !== undefined && now < held.staleUntil
          ? Effect.succeed({ value: held.value, latest: false })
          : Effect.fail(error)
      )
    )
  })

  return {
    current,
    refetched: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (State.onMiss(state, now) === "Await") return fetchNow(now, true)
      return state.held === undefined || state.failures > 0
        ? Effect.fail(unavailable())
        : Effect.succeed(state.held.value)
    }),
    noteMiss: Effect.flatMap(Clock.currentTimeMillis, (now) => write(State.missed(state, now, providerLimits))),
    phase: Effect.andThen(
      Effect.ignore(current),
      Effect.map(Clock.currentTimeMillis, (now) => State.phase(state, now))
    )
  }
}

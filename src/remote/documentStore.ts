/**
 * Documents of providers in a key-value store that several instances share.
 *
 * Entry `<kind>:<uri>` = `{"uri", "<kind>": {…}, "expires_at"}`. While no instance may fetch the document again for
 * something that it lacks, the entry has `"extra_until"` as well; times are in seconds since 1970. If requests do not
 * share I/O, it also has `"retry_at"`, `"down_until"` and `"failures"`: instances may live for one request, and each
 * would make its own attempt. The gateway works without the store: it may fail, be slow, or contain entries that others
 * wrote.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { KeyValueStoreError } from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import { annotate } from "../log/logFields.ts"
import { isJsonObject, type JsonObject, own, parseJsonObject } from "./JsonObject.ts"
import { providerLimits } from "./providerLimits.ts"
import * as State from "./remoteState.ts"
import type { Entries } from "./SharedEntries.ts"

export interface DocumentFormat<A> {
  /** The prefix of an entry's name, and the member that contains the document. */
  readonly kind: string
  readonly encode: (value: A) => JsonObject
  /** Checks a stored document like a response of the provider. `undefined` if it is not a valid document. */
  readonly decode: (value: JsonObject, previous: A | undefined, uri: string) => Effect.Effect<A | undefined>
  /** Whether a document that others have fetched may be read from the store. */
  readonly mayRead?: ((uri: string) => boolean) | undefined
  readonly sharesFailures: boolean
}

/** The entry of one document. No operation fails, and each access takes at most half a second. */
export interface DocumentStore<A> {
  /** Returns what others have stored, as far as it is usable. `now` is the time on the clock of the state. */
  readonly read: (
    uri: string,
    now: number,
    previous: A | undefined
  ) => Effect.Effect<State.RemoteState<A> | undefined>
  /** Stores a state, and removes the entry under an earlier URI, because stores may keep entries forever. */
  readonly write: (uri: string, now: number, state: State.RemoteState<A>) => Effect.Effect<void>
  /** Whether this instance should fetch the document now; if not, another one is already doing so. */
  readonly claim: (uri: string) => Effect.Effect<boolean>
  /** Ends the claim of this instance, or that of the instance it has waited for. `write` does so as well. */
  readonly release: (uri: string) => Effect.Effect<void>
}

const timeout = "500 millis"

// Longer than any fetch (see `inTime` of the key sets). After this time, the claim of a crashed instance expires.
const claimMillis = 5_000

// No response of a provider is fresh for longer, so an entry that claims more was not written by the gateway.
const maxFreshMillis = 86_400_000

// The largest response of a provider, with the members around it.
const maxLength = 1_100_000

export const entryName = (kind: string, uri: string): string => `${kind}:${uri}`

/** Reads a time, at most `ahead` from now: a later time was written by an instance with a wrong clock. */
const timeOf = (entry: JsonObject, name: string, now: number, ahead: number): number => {
  const seconds = own(entry, name)
  return typeof seconds === "number" && seconds * 1000 <= now + ahead ? seconds * 1000 : Number.NEGATIVE_INFINITY
}

/** Reads the state in an entry, with its document still unchecked. */
const stateOf = (entry: JsonObject, kind: string, now: number): State.RemoteState<JsonObject> => {
  const value = own(entry, kind)
  const failures = own(entry, "failures")
  const freshUntil = timeOf(entry, "expires_at", now, maxFreshMillis)
  return {
    held: isJsonObject(value) && Number.isFinite(freshUntil)
      ? State.heldUntil(value, freshUntil, providerLimits)
      : undefined,
    fetching: false,
    failures: typeof failures === "number" ? failures : 0,
    retryAt: timeOf(entry, "retry_at", now, providerLimits.backOffMillis),
    downUntil: timeOf(entry, "down_until", now, providerLimits.downMillis),
    extraAt: timeOf(entry, "extra_until", now, providerLimits.extraMillis)
  }
}

/** Returns the document of an entry, if it may be used now without a fetch. Pure. */
export const usableDocument = (text: string, kind: string, now: number): JsonObject | undefined => {
  // Written by `write`, so there are no duplicate members.
  const entry = text.length > maxLength ? undefined : Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))
  if (!isJsonObject(entry)) return undefined
  const state = stateOf(entry, kind, now)
  return State.onNeed(state, now) === "Use" ? state.held?.value : undefined
}

/** Converts a state to a clock that is `millis` ahead. */
const shifted = <A>(state: State.RemoteState<A>, millis: number): State.RemoteState<A> => ({
  ...state,
  held: state.held && State.heldUntil(state.held.value, state.held.freshUntil + millis, providerLimits),
  retryAt: state.retryAt + millis,
  downUntil: state.downUntil + millis,
  extraAt: state.extraAt + millis
})

// JSON has no infinity, and leaves out members that are undefined.
const seconds = (millis: number): number | undefined => Number.isFinite(millis) ? millis / 1000 : undefined

export const makeDocumentStore = <A>(
  store: Entries,
  { decode, encode, kind, mayRead = () => true, sharesFailures }: DocumentFormat<A>
): DocumentStore<A> => {
  let last: { readonly uri: string; readonly expiresAt: unknown } | undefined

  /** Limits the time of an operation, and returns `undefined` if it fails. */
  const ignoring = <B>(operation: string, effect: () => Effect.Effect<B, KeyValueStoreError>) =>
    // Suspended, because a host's store may throw instead of failing.
    Effect.suspend(effect).pipe(
      Effect.timeout(timeout),
      Effect.catchCause(() =>
        Effect.as(
          Effect.logWarning(`The key-value store failed: ${operation} of a document`).pipe(annotate({ kind })),
          undefined
        )
      )
    )

  /** The document that this instance has claimed, or has waited for. */
  let claimed: string | undefined

  const release = Effect.fnUntraced(function*(uri: string): Effect.fn.Return<void> {
    if (claimed !== uri || store.release === undefined) return
    claimed = undefined
    yield* ignoring("release", () => store.release?.(entryName(kind, uri)) ?? Effect.void)
  })

  return {
    read: Effect.fnUntraced(function*(uri, now, previous) {
      if (!mayRead(uri)) return undefined
      const text = yield* ignoring("read", () => store.get(entryName(kind, uri), maxLength))
      const entry = text === undefined ? undefined : Result.getOrUndefined(parseJsonObject(text))
      if (entry === undefined || own(entry, "uri") !== uri) return undefined
      const wall = yield* Clock.currentTimeMillis
      const { held, ...times } = shifted(stateOf(entry, kind, wall), now - wall)
      const failures = sharesFailures ? times : { ...times, ...State.withoutFailures }
      const expiresAt = own(entry, "expires_at")
      // A document that was read before has expired here, even if the wall clock was set back.
      const isNew = held !== undefined && expiresAt !== last?.expiresAt && (sharesFailures || now < held.refreshAt)
      const value = isNew ? yield* decode(held.value, previous, uri) : undefined
      if (held === undefined || value === undefined) {
        return sharesFailures
          ? { ...failures, held: undefined }
          : undefined
      }
      last = { uri, expiresAt }
      return { ...failures, held: { ...held, value } }
    }),

    write: Effect.fnUntraced(function*(uri, now, state) {
      const { downUntil, extraAt, failures, held, retryAt } = shifted(state, (yield* Clock.currentTimeMillis) - now)
      const expiresAt = held && Math.floor(held.freshUntil / 1000)
      const entry = JSON.stringify({
        uri,
        [kind]: held && encode(held.value),
        expires_at: expiresAt,
        extra_until: seconds(extraAt),
        ...(sharesFailures && { retry_at: seconds(retryAt), down_until: seconds(downUntil), failures })
      })
      if (entry.length > maxLength) return yield* release(uri)
      const before = last
      last = { uri, expiresAt }
      const millis = Math.max(0, (held?.freshUntil ?? now) - now)
      yield* ignoring("write", () => store.set(entryName(kind, uri), entry, millis))
      if (before !== undefined && before.uri !== uri) {
        yield* ignoring("removal", () => store.remove(entryName(kind, before.uri)))
      }
      yield* release(uri)
    }),

    claim: (uri) =>
      Effect.map(
        ignoring("claim", () => store.claim(entryName(kind, uri), claimMillis)),
        (isClaimed) => {
          claimed = uri
          return isClaimed !== false
        }
      ),

    release
  }
}

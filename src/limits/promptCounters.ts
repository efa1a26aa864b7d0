/** A store that may be slow or down, so that no request waits for it for long. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type LimitCounters, StoreFailed } from "./LimitStore.ts"

/** So many requests in a row that the store fails, and it is not asked for a while. */
const failuresInRow = 3

/** How long the store is not asked then; one request tries it again. */
const pauseMillis = 1_000

/** How many requests may wait for the store at a time: its response is small, and takes a millisecond. */
const maxWaiting = 1_024

/** How often the log says that the store fails. */
const quietMillis = 60_000

/**
 * Asks a store for as long as `timeoutMillis`, and not at all for a second after it has failed three times.
 *
 * Fails with `StoreFailed`. The log says when the store begins to fail and that it works again, at most once a minute.
 */
export const makePromptCounters = (counters: LimitCounters, timeoutMillis: number): LimitCounters => {
  let failed = 0
  let pausedUntil = 0
  let waiting = 0
  let quietUntil = 0
  let isReported = false

  const ask = (...args: Parameters<LimitCounters["charge"]>) =>
    Effect.suspend(() => {
      waiting++
      return counters.charge(...args)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () => Effect.fail(new StoreFailed({ detail: `the store does not respond within ${timeoutMillis} ms` }))
      }),
      Effect.ensuring(Effect.sync(() => {
        waiting--
      }))
    )

  const noteFailure = Effect.fnUntraced(function*({ detail }: StoreFailed) {
    const now = yield* Clock.currentTimeMillis
    failed++
    if (failed >= failuresInRow) pausedUntil = now + pauseMillis
    if (now < quietUntil) return
    quietUntil = now + quietMillis
    isReported = true
    yield* Effect.logWarning(`Rate limits are not shared with other processes: ${detail}. See MCP_STORE_FAILURE.`)
  })

  const noteSuccess = Effect.suspend(() => {
    failed = 0
    if (!isReported) return Effect.void
    isReported = false
    return Effect.logInfo("Rate limits are shared with other processes again.")
  })

  return {
    charge: Effect.fnUntraced(function*(charges, mode) {
      const now = yield* Clock.currentTimeMillis
      if (failed >= failuresInRow) {
        if (now < pausedUntil) return yield* new StoreFailed({ detail: "the store has just failed" })
        // This request tries; the others go on without.
        pausedUntil = now + pauseMillis
      }
      if (waiting >= maxWaiting) return yield* new StoreFailed({ detail: "too many requests wait for the store" })
      return yield* ask(charges, mode).pipe(Effect.tap(() => noteSuccess), Effect.tapError(noteFailure))
    })
  }
}

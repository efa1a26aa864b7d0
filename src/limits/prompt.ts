/** Time limits for operations of a store that may be slow or down, so that no request waits for long. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { StoreFailed } from "./LimitStore.ts"

/** After this number of consecutive failures, the store is not used for a while. */
const failuresInRow = 3

/** After this pause, one operation tries the store again. */
const pauseMillis = 1_000

/** How many operations may wait for the store at a time. */
const maxWaiting = 1_024

/** The pause between two log lines about a store that fails, in milliseconds. */
const quietMillis = 60_000

export interface PromptTexts {
  readonly failing: (detail: string) => string
  readonly working: string
}

/** Runs an operation within its time limit. */
export type Prompt = <A>(operation: Effect.Effect<A, StoreFailed>) => Effect.Effect<A, StoreFailed>

/**
 * Builds the time limit for the operations of one kind. Each may take `timeoutMillis`; after three failures, no
 * operation is sent for a second.
 *
 * One log line reports that the store fails, at most once a minute, and one that it works again.
 *
 * @param onChange called with `false` when the operations begin to fail, and with `true` when one succeeds again
 */
export const makePrompt = (
  timeoutMillis: number,
  { failing, working }: PromptTexts,
  onChange: (works: boolean) => void = () => undefined
): Prompt => {
  let failed = 0
  let pausedUntil = 0
  let waiting = 0
  let quietUntil = 0
  let isReported = false

  const bounded = <A>(operation: Effect.Effect<A, StoreFailed>) =>
    Effect.suspend(() => {
      waiting++
      return operation
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
    if (failed === 0) onChange(false)
    failed++
    if (failed >= failuresInRow) pausedUntil = now + pauseMillis
    if (now < quietUntil) return
    quietUntil = now + quietMillis
    isReported = true
    yield* Effect.logWarning(failing(detail))
  })

  const noteSuccess = Effect.suspend(() => {
    if (failed > 0) onChange(true)
    failed = 0
    if (!isReported) return Effect.void
    isReported = false
    return Effect.logInfo(working)
  })

  return (operation) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (failed >= failuresInRow) {
        if (now < pausedUntil) return Effect.fail(new StoreFailed({ detail: "the store has just failed" }))
        // This operation tries the store again, while others still do without it.
        pausedUntil = now + pauseMillis
      }
      if (waiting >= maxWaiting) return Effect.fail(new StoreFailed({ detail: "too many requests wait for the store" }))
      return bounded(operation).pipe(Effect.tap(() => noteSuccess), Effect.tapError(noteFailure))
    })
}

/**
 * Returns the code of an error, the first word of an error of the store, or the error's name. The full text may quote a
 * key.
 */
export const storeProblem = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "an unknown error"
  const code = "code" in cause && typeof cause.code === "string"
    ? cause.code
    : /^[A-Z]{3,16}(?= )/.exec(cause.message)?.[0]
  return code ?? cause.name
}

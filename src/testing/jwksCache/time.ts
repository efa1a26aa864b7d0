/** How the test's time passes while fibers run. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

/** One turn of the event loop, and one of the threads that import keys. */
const turn = Effect.andThen(
  Effect.yieldNow,
  Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(1)))
)

// A fetch takes some turns before its request and after its response.
const quietTurns = 20

/** How long a result may be missing before it counts as absent, in seconds. */
const timeoutSeconds = 20

/** Runs everything that can run without time passing. */
export const settle = (isBusy: () => boolean): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let quiet = 0; quiet < quietTurns; quiet++) {
      yield* turn
      if (isBusy()) quiet = 0
    }
  })

/** Waits for a fiber, and advances the time if the fiber waits only for that; `undefined`: the fiber does not end. */
export const ended = Effect.fnUntraced(function*<A, E>(
  fiber: Fiber.Fiber<A, E>,
  isBusy: () => boolean
): Effect.fn.Return<Exit.Exit<A, E> | undefined> {
  for (let seconds = 0; seconds < timeoutSeconds; seconds++) {
    for (let quiet = 0; quiet < quietTurns; quiet++) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* turn
      if (isBusy()) quiet = 0
    }
    yield* TestClock.adjust("1 second")
  }
  yield* Fiber.interrupt(fiber)
  return undefined
})

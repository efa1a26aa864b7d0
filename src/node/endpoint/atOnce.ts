import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"

/**
 * Runs an effect that waits for nothing, as Node's own HMAC does. One that is over already costs no fiber.
 *
 * Throws what it dies of, and where it would have to wait after all.
 */
export const atOnce = <A, E>(effect: Effect.Effect<A, E>): Result.Result<A, E> => {
  const exit = Effect.runSyncExit(effect)
  if (Exit.isSuccess(exit)) return Result.succeed(exit.value)
  const failure = Cause.findError(exit.cause)
  if (Result.isSuccess(failure)) return Result.fail(failure.success)
  throw Cause.squash(exit.cause)
}

import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

/**
 * The process could not start. The reason has already been printed.
 *
 * Ends the process with exit code 1.
 */
export class StartupFailed extends Data.TaggedError("StartupFailed")<{}> {
  override readonly [Runtime.errorReported] = false
}

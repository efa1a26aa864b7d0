import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"

/** A signal is the ordinary way to stop a service. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

/** Runs the program of this process until it ends or is stopped. Prints the failure, if any. */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void => NodeRuntime.runMain(program, { teardown })

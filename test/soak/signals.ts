/** Signals to processes that the soak started. */
import * as Effect from "effect/Effect"
import { kill } from "node:process"

/** Stops a process where it is. */
export const pause = (pid: number): Effect.Effect<void> => Effect.sync(() => void kill(pid, "SIGSTOP"))

/** Resumes it. */
export const resume = (pid: number): Effect.Effect<void> => Effect.sync(() => void kill(pid, "SIGCONT"))

/** Ends it without a warning. */
export const destroy = (pid: number): Effect.Effect<void> => Effect.sync(() => void kill(pid, "SIGKILL"))

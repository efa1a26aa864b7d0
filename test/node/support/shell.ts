/** Commands as a user would type them. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"

/** Runs a POSIX shell script that must succeed; returns its standard output. */
export const sh = (script: string): Effect.Effect<string> =>
  Effect.promise(async () => (await promisify(execFile)("sh", ["-ec", script])).stdout)

/** Files of one test, in a directory of its own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A directory that is removed with the scope. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mcp-authorizer-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

/** Writes a file into a new directory; returns its path. */
export const temporaryFile = Effect.fnUntraced(function*(name: string, text: string) {
  const path = join(yield* temporaryDirectory, name)
  yield* Effect.promise(() => writeFile(path, text))
  return path
})

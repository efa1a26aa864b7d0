/** Watches the files that a configuration comes from. */
import * as Effect from "effect/Effect"
import { realpath, stat } from "node:fs/promises"
import { errorCode } from "../errorCode.ts"

/** How often the files are checked, in milliseconds. */
export const lookMillis = 1_000

/** How long they must be unchanged before they are read: an editor or a tool may still be writing. */
export const settleMillis = 500

/** How often they may change in between before they are read nevertheless. */
const maxChanges = 20

/**
 * Returns a text that changes with the file: when it is written, replaced, removed, or when a link on the way to it leads
 * elsewhere, as Kubernetes changes all files of a volume at once.
 */
const stateOf = async (path: string): Promise<string> => {
  try {
    const { ctimeNs, dev, ino, mtimeNs, size } = await stat(path, { bigint: true })
    return [await realpath(path), dev, ino, size, mtimeNs, ctimeNs].join(" ")
  } catch (error) {
    return errorCode(error)
  }
}

/** Returns the state of several files as one text. */
export const statesOf = (paths: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.promise(async () => {
    const states = await Promise.all(paths.map(async (path) => [path, await stateOf(path)]))
    return JSON.stringify(states)
  })

/**
 * Calls `changed` whenever the files have changed and then stayed the same for half a second; once at the beginning, too,
 * because they may have changed since they were read.
 *
 * The files are checked once a second, because notifications of the system are missing on many network and container
 * file systems.
 *
 * @param paths the files, which may be others after a change
 * @param look returns the state of files: `statesOf`
 */
export const watchFiles = Effect.fnUntraced(function*(
  paths: () => ReadonlyArray<string>,
  changed: Effect.Effect<void>,
  look: (paths: ReadonlyArray<string>) => Effect.Effect<string> = statesOf
): Effect.fn.Return<never> {
  let seen: string | undefined
  while (true) {
    let found = yield* look(paths())
    for (let changes = 1; found !== seen; changes++) {
      yield* Effect.sleep(settleMillis)
      const next = yield* look(paths())
      if (next === found || changes === maxChanges) {
        seen = next
        yield* changed
      }
      found = next
    }
    yield* Effect.sleep(lookMillis)
  }
})

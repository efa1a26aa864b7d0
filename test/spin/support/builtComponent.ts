/** The component as it is deployed, built once for all test files that run it. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { builtPackage, root } from "../../node/support/builtProgram.ts"
import { makeRunnable } from "./makeRunnable.mjs"

const componentFile = "mcp-authorizer.wasm"

const make = (component: string, cwd?: string) =>
  promisify(execFile)(process.execPath, [join(root, "src", "build", "spin", "build.mjs"), component], { cwd })

const build = async (built: string): Promise<string> => {
  const directory = join(built, "spin")
  if (await stat(directory).then(() => true, () => false)) return directory
  const unfinished = `${directory}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  const component = join(unfinished, componentFile)
  await make(component)
  await makeRunnable(component, unfinished)
  // A rename is atomic: the directory appears complete. Another worker may have been faster.
  await rename(unfinished, directory).catch(() => rm(unfinished, { recursive: true, force: true }))
  return directory
}

/**
 * The directory of the component, with the modules that `host.mjs` runs.
 *
 * Next to the build of the package, which is built again after every change of a source.
 */
export const builtComponent: Effect.Effect<string> = Effect.runSync(
  Effect.cached(Effect.flatMap(builtPackage, (built) => Effect.promise(() => build(built))))
)

/** The component as `npm run build:spin` leaves it. */
export const builtWasm: Effect.Effect<string> = Effect.map(
  builtComponent,
  (directory) => join(directory, componentFile)
)

/** The same component, built again in another directory. */
export const builtAgain: Effect.Effect<Uint8Array> = Effect.promise(async () => {
  const directory = await mkdtemp(join(tmpdir(), "mcp-authorizer-again-"))
  const component = join(directory, componentFile)
  await make(component, directory)
  const bytes = await readFile(component)
  await rm(directory, { recursive: true })
  return bytes
})

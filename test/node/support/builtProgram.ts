/** The program as it is published, compiled once for all test files that run it. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** The root of the repository, with a slash at the end. */
export const root = fileURLToPath(new URL("../../../", import.meta.url))

// Below node_modules, so that the compiled modules find their dependencies; not dist, which a build may be rewriting.
const builds = join(root, "node_modules", ".cache", "mcp-authorizer-test")

const keptMillis = 6 * 3_600_000

const exists = (path: string) => stat(path).then(() => true, () => false)

const fingerprint = async (): Promise<string> => {
  const sources = await readdir(join(root, "src"), { recursive: true, withFileTypes: true })
  const files = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted()
  const hash = createHash("sha256")
  for (
    const file of [
      ...files,
      ...["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"].map((n) => join(root, n))
    ]
  ) {
    hash.update(file).update("\0").update(await readFile(file)).update("\0")
  }
  return hash.digest("hex").slice(0, 16)
}

const removeOld = async (kept: string): Promise<void> => {
  const { mtimeMs: now } = await stat(kept)
  for (const name of await readdir(builds)) {
    const path = join(builds, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (now - mtimeMs > keptMillis) await rm(path, { recursive: true, force: true })
  }
}

const node = (...args: ReadonlyArray<string>) => promisify(execFile)(process.execPath, args)

const build = async (): Promise<string> => {
  const directory = join(builds, await fingerprint())
  if (await exists(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  await cp(join(root, "package.json"), join(unfinished, "package.json"))
  const dist = join(unfinished, "dist")
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
  await node(compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", dist)
    .then(() => node(join(root, "src", "build", "node", "build.mjs"), dist))
    .catch(async (error: { stdout: string; stderr: string }) => {
      await rm(unfinished, { recursive: true, force: true })
      throw new Error(`the program does not build:\n${error.stdout}${error.stderr}`)
    })
  // A rename is atomic: the directory appears complete. Another worker may have been faster.
  await rename(unfinished, directory).catch(() => rm(unfinished, { recursive: true, force: true }))
  await removeOld(directory)
  return directory
}

/**
 * The directory of the package as `npm run build` leaves it: `package.json` and `dist`.
 *
 * Compiles on first use and after a change; test files that run at the same time share the result. Dies with the
 * compiler's output if the sources do not compile.
 */
export const builtPackage: Effect.Effect<string> = Effect.runSync(Effect.cached(Effect.promise(build)))

/** The built `main.js`. */
export const mainFile: Effect.Effect<string> = Effect.map(
  builtPackage,
  (directory) => join(directory, "dist", "main.js")
)

/** Builds Ory Hydra once, from the Go module proxy; files of the suite find the program by `inject("hydra")`. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the program. */
    readonly hydra: string
  }
}

const version = "v2.3.0"

const home = fileURLToPath(new URL(`../../node_modules/.cache/hydra/${version}`, import.meta.url))

// `go install` takes no module with replacements. Hydra's own one is repeated; the other names a folder that is not in the module.
const module = `module hydra

go 1.23

require github.com/ory/hydra/v2 ${version}

replace github.com/gobuffalo/pop/v6 => github.com/ory/pop/v6 v6.2.1-0.20241121111754-e5dfc0f3344b
`

const build = async (folder: string): Promise<void> => {
  await writeFile(join(folder, "go.mod"), module)
  // SQLite is what it keeps its data in, in memory.
  const arguments_ = ["build", "-mod=mod", "-tags=sqlite,sqlite_omit_load_extension", "-ldflags=-s -w", "-o", "hydra"]
  await promisify(execFile)("go", [...arguments_, "github.com/ory/hydra/v2"], { cwd: folder, timeout: 1_800_000 })
}

/** Needs `go` (1.23 or newer) and a C compiler on the PATH; throws where one is missing or fails. */
export default async (project: TestProject): Promise<void> => {
  const exists = await stat(home).then(() => true, () => false)
  if (!exists) {
    await mkdir(dirname(home), { recursive: true })
    const unfinished = await mkdtemp(`${home}.`)
    try {
      await build(unfinished)
      // A rename is atomic: the folder appears complete.
      await rename(unfinished, home)
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true })
      throw error
    }
  }
  project.provide("hydra", join(home, "hydra"))
}

/**
 * Runs a program and restarts it whenever its source changes: `npm run dev`, or
 * `node src/build/node/dev.mjs src/main.ts serve`.
 *
 * It does not check types. A change that does not compile is reported, and the previous program continues.
 */
import * as esbuild from "esbuild"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { watch } from "node:fs"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const [entry = "src/main.ts", ...args] = process.argv.slice(2)

// CommonJS dependencies load Node's modules with it.
const banner = `import { createRequire as __createRequire } from "node:module"
const require = __createRequire(import.meta.url)`

// Below node_modules, so that the program finds its dependencies.
const cache = fileURLToPath(new URL("../../../node_modules/.cache/mcp-authorizer-dev", import.meta.url))
await mkdir(cache, { recursive: true })
const directory = await mkdtemp(join(cache, "run-"))
const outfile = join(directory, "main.mjs")

// Editors write a file in several steps.
const settleMillis = 20

// A program that waits for open streams when it stops would delay the next one. At the end of `npm run dev` no program
// follows.
const graceMillis = 200
const lastGraceMillis = 5_000

const common = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  sourcesContent: false,
  banner: { js: banner },
  logLevel: "warning"
}

const fileOf = (module) => module.replaceAll("/", "_")

const imported = new Set()
let bundledModules = 0

/** Takes the modules of large dependencies, which hardly change, from a separate bundle. */
const dependencies = {
  name: "mcp-authorizer:dependencies",
  setup: (build) => {
    build.onResolve({ filter: /^(?:@?effect|jose)(?:\/|$)/ }, ({ path }) => {
      imported.add(path)
      return { path: `./dependencies/${fileOf(path)}.mjs`, external: true }
    })
  }
}

/** Bundles the dependencies, again only when the program imports another module of theirs. */
const bundleDependencies = async () => {
  if (imported.size === bundledModules) return
  await esbuild.build({
    ...common,
    entryPoints: Object.fromEntries(Array.from(imported, (module) => [fileOf(module), module])),
    outdir: join(directory, "dependencies"),
    outExtension: { ".js": ".mjs" },
    splitting: true
  })
  bundledModules = imported.size
}

const build = await esbuild.context({ ...common, entryPoints: [resolve(entry)], outfile, plugins: [dependencies] })

let program

const start = () => {
  program = spawn(process.execPath, ["--enable-source-maps", outfile, ...args], { stdio: "inherit" })
}

const stop = async (graceMillis) => {
  if (program === undefined || program.exitCode !== null || program.signalCode !== null) return
  const ended = once(program, "exit")
  program.kill("SIGTERM")
  const timer = setTimeout(() => program.kill("SIGKILL"), graceMillis)
  await ended
  clearTimeout(timer)
}

const restart = async () => {
  const begun = performance.now()
  // esbuild has reported the errors.
  const built = await build.rebuild().then(bundleDependencies).then(() => true, () => false)
  if (!built) return
  const isFirst = program === undefined
  await stop(graceMillis)
  start()
  if (!isFirst) process.stderr.write(`restarted after ${Math.round(performance.now() - begun)} ms\n`)
}

let work = restart()
let timer

const watcher = watch(dirname(resolve(entry)), { recursive: true }, () => {
  clearTimeout(timer)
  timer = setTimeout(() => {
    work = work.then(restart)
  }, settleMillis)
})

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    clearTimeout(timer)
    watcher.close()
    await work
    await stop(lastGraceMillis)
    await build.dispose()
    await rm(directory, { recursive: true, force: true })
    process.exit()
  })
}

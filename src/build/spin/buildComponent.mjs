/** Makes a WASI HTTP component of a module and the JavaScript engine. */
import { componentize } from "@bytecodealliance/componentize-js"
import { build } from "esbuild"
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { denseImage } from "./denseImage.mjs"
import { spellOutProperties } from "./unicodeProperties.mjs"

/**
 * Runs last while the component is built. Its memory becomes part of the file, freed blocks included, and they are full
 * of what parsing the script left behind: a third of the file. Fresh buffers are zeroed, and zeros take no place.
 */
const sweep = `{
  const buffers = []
  for (const [size, count] of [[1 << 18, 16], [1 << 16, 64], [1 << 14, 128], [1 << 12, 512], [1 << 10, 2048]]) {
    for (let i = 0; i < count; i++) buffers.push(new ArrayBuffer(size))
  }
}`

const snapshotModule = fileURLToPath(new URL("snapshot.mjs", import.meta.url))

/** Writes the program that componentize-js calls in the place of `wizer`. On Windows `wizer` itself has to do. */
const snapshotProgram = async (directory) => {
  if (process.platform === "win32") return undefined
  const path = join(directory, "snapshot")
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" --no-warnings "${snapshotModule}" "$@"\n`)
  await chmod(path, 0o755)
  return path
}

/**
 * Bundles `entry`, packs it with the engine, writes the component to `output`, and returns its size in bytes.
 *
 * The component has a world of `wit/`, by default Spin's, regardless of how much of it the component uses.
 */
export const buildComponent = async (entry, output, worldName = "gateway") => {
  const { outputFiles: [script] } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["worker", "import"],
    external: ["wasi:*"],
    footer: { js: sweep },
    logLevel: "warning"
  })
  // Not next to the output: the tool splits paths at spaces and does not follow links out of the working directory.
  const directory = await mkdtemp(join(tmpdir(), "mcp-authorizer-spin-"))
  const sourcePath = join(directory, "bundle.js")
  await writeFile(sourcePath, spellOutProperties(script.text))
  const witPath = fileURLToPath(new URL("../../spin/wit", import.meta.url))
  const wizerBin = await snapshotProgram(directory)
  const { component: sparse } = await componentize({ sourcePath, witPath, worldName, wizerBin })
    .finally(() => rm(directory, { recursive: true }))
  const component = denseImage(sparse)
  await mkdir(dirname(output), { recursive: true })
  await writeFile(output, component)
  return component.length
}

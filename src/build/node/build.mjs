/**
 * Bundles the program into a few files, and makes its package: `node src/build/node/build.mjs [dist]`, after the
 * compiler.
 *
 * Each module that `main.js` loads becomes one file, with everything that it imports. Loading the thousand small
 * modules would take longer than everything else at start.
 */
import { build } from "esbuild"
import { chmod, readFile, realpath, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { billOfMaterials } from "./billOfMaterials.mjs"
import { bundledPackages } from "./bundledPackages.mjs"
import { ignoredBut, libraryFiles, removeComments } from "./libraryFiles.mjs"
import { licensesOf } from "./licenses.mjs"
import { neverUsed, staleReplacements } from "./neverUsed.mjs"
import { programManifest, writeProgramPackage } from "./programPackage.mjs"

const root = fileURLToPath(new URL("../../../", import.meta.url))

const dist = await realpath(resolve(process.argv[2] ?? join(root, "dist")))

const readJson = async (path) => JSON.parse(await readFile(path, "utf8"))

// CommonJS dependencies load Node's modules with it.
const banner = `import { createRequire as __createRequire } from "node:module"
const require = __createRequire(import.meta.url)`

/** It is loaded only if there is a store, and is as large as the rest of the program. So it is a separate file. */
const redisClient = {
  name: "redis client",
  setup: (build) => {
    build.onResolve({ filter: /^@redis\/client$/ }, () => ({ path: "./redisClient.js", external: true }))
  }
}

const common = {
  // Bundles name their modules by their paths from here: the same wherever they are built.
  absWorkingDir: dist,
  allowOverwrite: true,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  // Keeps names, and short lines: operators see them in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  legalComments: "none",
  metafile: true,
  logLevel: "warning"
}

/** Bundles into a file, and returns the files that it consists of. */
const bundle = async (outfile, options) => {
  const { metafile } = await build({ ...common, outfile, ...options })
  return Object.keys(metafile.inputs).map((path) => join(dist, path))
}

/** Bundles a module of the program in its place. */
const bundleInPlace = (file) =>
  bundle(file, {
    entryPoints: [file],
    sourcemap: true,
    sourcesContent: false,
    plugins: [neverUsed, redisClient],
    banner: { js: banner }
  })

// It has named exports only as CommonJS has them.
const redisNames = Object.keys(createRequire(import.meta.url)("@redis/client")).filter((name) => name !== "default")

const files = await Promise.all([
  bundle(join(dist, "main.js"), {
    entryPoints: [join(dist, "main.js")],
    external: ["./node/cli.js", "./node/service.js"]
  }),
  bundleInPlace(join(dist, "node", "service.js")),
  bundleInPlace(join(dist, "node", "cli.js")),
  bundle(join(dist, "node", "redisClient.js"), {
    stdin: { contents: `export { ${redisNames.join(", ")} } from "@redis/client"`, resolveDir: root },
    banner: { js: banner }
  })
])
const stale = staleReplacements()
if (stale.length > 0) throw new Error(`nothing imports ${stale.join(", ")} any more`)
await chmod(join(dist, "main.js"), 0o755)

const manifest = await readJson(join(root, "package.json"))
const packages = await bundledPackages(files.flat())
const program = { ...manifest, ...programManifest(manifest) }
const bill = billOfMaterials(
  program,
  packages,
  await readJson(join(root, "package-lock.json")),
  process.env.SOURCE_DATE_EPOCH
)
await writeFile(join(dist, "LICENSES.txt"), await licensesOf(packages))
await writeFile(join(dist, "sbom.cdx.json"), bill)
await writeProgramPackage(dist, manifest)

// npm leaves out of the library what this file names.
const library = await libraryFiles(dist, manifest)
await removeComments(library)
await writeFile(join(dist, ".npmignore"), await ignoredBut(dist, library))

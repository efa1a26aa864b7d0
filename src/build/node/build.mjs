/**
 * Makes the program one of few files: `node src/build/node/build.mjs [dist]`, after the compiler.
 *
 * What `main.js` loads becomes one file each, with all that it imports and uses. The thousand small modules that it
 * consists of otherwise take longer to load than everything else at start.
 */
import { build } from "esbuild"
import { chmod, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { licensesOf } from "./licenses.mjs"
import { neverUsed, staleReplacements } from "./neverUsed.mjs"

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL("../../../dist", import.meta.url)))

// What is CommonJS among the dependencies asks for Node's modules with it.
const banner = `import { createRequire as __createRequire } from "node:module"
const require = __createRequire(import.meta.url)`

/** Bundles a module of the program in its place; gives the files that it consists of. */
const bundle = async (file) => {
  const { metafile } = await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Names stay, and lines stay short: operators see them in stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: "none",
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [neverUsed],
    // Loaded from where it is installed, and only where there is a store: it is as large as all the rest.
    external: ["@redis/client"],
    banner: { js: banner },
    logLevel: "warning"
  })
  return Object.keys(metafile.inputs)
}

const files = await Promise.all(["service", "cli"].map((name) => bundle(join(dist, "node", `${name}.js`))))
const stale = staleReplacements()
if (stale.length > 0) throw new Error(`nothing imports ${stale.join(", ")} any more`)
await writeFile(join(dist, "LICENSES.txt"), await licensesOf(files.flat()))
await chmod(join(dist, "main.js"), 0o755)

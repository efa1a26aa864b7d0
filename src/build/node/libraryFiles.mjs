import { transform } from "esbuild"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"

const imported = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g

/** Adds a module, and all that it imports or names in its types. */
const follow = async (file, reached) => {
  if (reached.has(file)) return
  reached.add(file)
  const text = await readFile(file, "utf8")
  const declares = file.endsWith(".d.ts")
  for (const [, specifier] of text.matchAll(imported)) {
    const path = join(dirname(file), specifier)
    await follow(declares ? path.replace(/(?:\.d)?\.[jt]s$/, ".d.ts") : path, reached)
  }
}

/** The modules of `dist` that the entries of the package lead to, and their types. */
export const libraryFiles = async (dist, manifest) => {
  const reached = new Set()
  for (const entry of Object.values(manifest.exports)) {
    if (typeof entry === "string") continue
    for (const path of Object.values(entry)) await follow(join(dist, "..", path), reached)
  }
  return [...reached]
}

/** Leaves comments to the types, where editors look for them: they are a sixth of the package. */
export const removeComments = (files) =>
  Promise.all(files.filter((file) => file.endsWith(".js")).map(async (file) => {
    const { code } = await transform(await readFile(file, "utf8"), { target: "es2022", legalComments: "none" })
    await writeFile(file, code)
  }))

/** The files of `dist` that programs do not import, as lines for `.npmignore`: everything except these files. */
export const ignoredBut = async (dist, files) => {
  const kept = new Set(files)
  const entries = await readdir(dist, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return paths.filter((path) => !kept.has(path)).map((path) => `/${relative(dist, path)}\n`).toSorted().join("")
}

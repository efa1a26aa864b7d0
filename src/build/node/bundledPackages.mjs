import { readFile } from "node:fs/promises"
import { join } from "node:path"

/** The folder of the package that a file of a dependency belongs to; tests build below `node_modules/.cache`. */
const folderOf = (file) => /^.*node_modules\/(?!\.)(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]

/** The packages that these files come from, each with its folder, its manifest and those of the files that belong to it. */
export const bundledPackages = (files) => {
  const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== undefined).toSorted()
  return Promise.all(folders.map(async (folder) => ({
    folder,
    manifest: JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
    files: files.filter((file) => folderOf(file) === folder)
  })))
}

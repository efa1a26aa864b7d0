import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

/** The folder of the package that a file of a dependency belongs to; tests build below `node_modules/.cache`. */
const folderOf = (file) => /^.*node_modules\/(?!\.)(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]

/** The licences of the packages that these files come from, as anyone who redistributes them must state them. */
export const licensesOf = async (files) => {
  const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== undefined).toSorted()
  const texts = folders.map(async (folder) => {
    const { license, name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
    if (file === undefined) throw new Error(`${name} has no licence file`)
    return `${name} ${version} (${license})\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`
  })
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`)
}

import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

/** The folder of the package that a file of a dependency belongs to; tests build below `node_modules/.cache`. */
const folderOf = (file) => /^.*node_modules\/(?!\.)(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]

const own = new URL("../../../LICENSE", import.meta.url)

/** The comment that a file begins with, if it states a copyright. */
const noticeOf = async (file) => {
  const [header = ""] = /^(?:\/\/.*\n)+/.exec(await readFile(file, "utf8")) ?? []
  return header.includes("Copyright") ? header.replaceAll(/^\/\/ ?/gm, "").trim() : undefined
}

/**
 * The licence of a package that has no file for it: what its files state, and the text of the Apache License, which is the
 * gateway's own as well.
 */
const statedIn = async (name, license, files) => {
  const notices = new Set((await Promise.all(files.map(noticeOf))).filter((notice) => notice !== undefined))
  if (!/\bApache-2\.0\b/.test(license) || notices.size === 0) throw new Error(`${name} has no licence file`)
  return [...notices, (await readFile(own, "utf8")).trim()].join("\n\n")
}

/** The licences of the packages that these files come from, as anyone who redistributes them must state them. */
export const licensesOf = async (files) => {
  const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== undefined).toSorted()
  const texts = folders.map(async (folder) => {
    const { license, name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
    const text = file === undefined
      ? await statedIn(name, license, files.filter((file) => folderOf(file) === folder))
      : (await readFile(join(folder, file), "utf8")).trim()
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`)
}

import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

const own = new URL("../../../LICENSE", import.meta.url)

/** The comments of a file that state a copyright: those that it begins with, and blocks. */
const noticesOf = async (file) => {
  const text = await readFile(file, "utf8")
  const [header = ""] = /^(?:\/\/.*\n)+/.exec(text) ?? []
  return [
    header.replaceAll(/^\/\/ ?/gm, ""),
    ...(text.match(/\/\*[^]*?\*\//g) ?? []).map((block) => block.replaceAll(/^\s*(?:\/\*+|\*(?!\/)) ?|\s*\*\/$/gm, ""))
  ].filter((notice) => /Copyright (?:\(c\)|\d)/i.test(notice)).map((notice) => notice.trim())
}

/** The copyright of packages whose licence is in their repository only. */
const holders = { "@redis/client": "Copyright (c) 2022-2025, Redis, inc." }

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`

/** The licence of a package that has no file for it: the notices of its holder and of its files, and the text that is meant. */
const statedIn = async (name, license, files) => {
  const found = (await Promise.all(files.map(noticesOf))).flat()
  if (license === "MIT" && name in holders) return [holders[name], mit, ...new Set(found)].join("\n\n")
  if (!/\bApache-2\.0\b/.test(license) || found.length === 0) throw new Error(`${name} has no licence file`)
  // The gateway itself has the Apache License, too.
  return [...new Set(found), (await readFile(own, "utf8")).trim()].join("\n\n")
}

/** The licences of these packages, as anyone who redistributes them must state them. */
export const licensesOf = async (packages) => {
  const texts = packages.map(async ({ files, folder, manifest: { license, name, version } }) => {
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name))
    const text = file === undefined
      ? await statedIn(name, license, files)
      : (await readFile(join(folder, file), "utf8")).trim()
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`)
}

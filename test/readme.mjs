// Writes the tables of the README anew from the built code: `npm run readme`, after a setting or the policy changed.
import { readFileSync, writeFileSync } from "node:fs"
import { providerReference, settingsReference } from "../dist/config/reference.js"
import { policyReference } from "../dist/keys/cryptoPolicy.js"

const file = new URL("../README.md", import.meta.url)
const tables = [settingsReference(), providerReference(), policyReference()].map((table) => table.trim())

const replaceTable = (text, table) => {
  const head = table.slice(0, table.indexOf(" ", 2) + 1)
  const lines = text.split("\n")
  const from = lines.findIndex((line) => line.startsWith(head))
  if (from === -1) throw new Error(`README.md has no table that begins with ${head}`)
  let to = from
  while (lines[to]?.startsWith("|")) to++
  return [...lines.slice(0, from), table, ...lines.slice(to)].join("\n")
}

writeFileSync(file, tables.reduce(replaceTable, readFileSync(file, "utf8")))

/** The pages of the presets, and the settings on them. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"

/** The README of the presets. */
export const page = readFileSync(join(root, "src/providers/presets/README.md"), "utf8")

/** The section of a provider. */
export const sectionOf = (heading: string): string =>
  page.split(/^## /m).find((section) => section.startsWith(`${heading}\n`)) ?? assert.fail(`no section ${heading}`)

/** All blocks of a language in a section. */
export const blocksOf = (section: string, language: string): ReadonlyArray<string> =>
  Array.from(section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm")), ([, block = ""]) => block)

/** The first of them. */
export const blockOf = (section: string, language: string): string =>
  blocksOf(section, language)[0] ?? assert.fail(`no block of ${language}`)

/** Variables as a block of `sh` sets them. */
export const variablesIn = (block: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    block.trim().split("\n").map((line) => {
      const [key = "", ...value] = line.split("=")
      return [key, value.join("=")]
    })
  )

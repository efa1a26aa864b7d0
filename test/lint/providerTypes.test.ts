import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { providerTypes } from "../../src/providers/types.ts"

const src = fileURLToPath(new URL("../../src", import.meta.url))

/** Files that use a type, as an operator does, or translate the settings of another product. */
const users: ReadonlySet<string> = new Set([
  "node/commands/demo.ts",
  "config/sources/authConfig.ts",
  "spin/rehearsal.ts"
])

const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line)

/** The files with a line of code that names a type, among those that may not. */
const naming = (files: ReadonlyArray<readonly [path: string, code: string]>, type: string): ReadonlyArray<string> =>
  files.filter(([, code]) => code.split("\n").some((line) => !isComment(line) && line.includes(`"${type}"`)))
    .map(([path]) => path)

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !/^(?:providers|testing|issuer)\//.test(path) && !users.has(path))
  .map((path) => [path, readFileSync(join(src, path), "utf8")] as const)

describe("a provider type has one home", () => {
  for (const { name } of providerTypes) {
    it(`only src/providers names ${name}`, () => {
      assert.deepStrictEqual(naming(files, name), [])
      const switching = ["config/warnings.ts", `switch (type) {\n  case "${name}":`] as const
      assert.deepStrictEqual(naming([...files, switching], name), ["config/warnings.ts"])
    })
  }
})

import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { readmes } from "../support/readmes.ts"

/** One example of the documentation, as a reader would copy it. */
export interface DocExample {
  /** Its place, as a file name. */
  readonly name: string
  readonly code: string
}

const fenced = /^( *\* ?|)```ts\n([\s\S]*?)^\1?```$/gm

const examplesOf = (path: string): ReadonlyArray<DocExample> =>
  [...readFileSync(join(root, path), "utf8").matchAll(fenced)].map(([, , body = ""], index) => ({
    name: `${path.replace(/\W+/g, "-")}-${index + 1}`,
    code: path.endsWith(".md") ? body : body.replace(/^ *\* ?/gm, "")
  }))

/** Every TypeScript example of the READMEs and of the docstrings. */
export const docExamples = (): ReadonlyArray<DocExample> => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join("src", path))
  return [...readmes(), ...sources].flatMap(examplesOf)
}

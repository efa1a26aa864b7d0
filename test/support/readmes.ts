import { readdirSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"

/** The paths of all READMEs, from the root of the project: the front page first, then those of the rooms. */
export const readmes = (): ReadonlyArray<string> => [
  "README.md",
  ...["src", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /(?:^|\/)README\.md$/.test(path) && !path.includes("node_modules"))
      .map((path) => join(folder, path))
      .toSorted()
  )
]

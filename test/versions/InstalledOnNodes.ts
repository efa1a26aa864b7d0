import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { transform } from "esbuild"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { sh } from "../node/support/shell.ts"
import { Installed } from "../packaging/Installed.ts"

/** The oldest version that is supported, and the newest of each line that is maintained. */
export const nodeVersions = ["20.19.0", "20", "22", "24"] as const

export type NodeVersion = (typeof nodeVersions)[number]

const nameOf = (version: NodeVersion): string => `node-${version}`

/** Both packages as npm installs them, and the versions of Node to run them on. */
export class InstalledOnNodes extends Context.Service<InstalledOnNodes, {
  /** The executable of a version. */
  readonly node: (version: NodeVersion) => string
  /** The `main.js` of the program's package. */
  readonly main: string
  /** A project with the library, the newest Effect 4, and `conformance.js`. */
  readonly project: string
}>()("mcp-authorizer/test/versions/InstalledOnNodes") {
  static readonly layer = Layer.effect(
    InstalledOnNodes,
    Effect.gen(function*() {
      const { library, program } = yield* Installed
      const folder = yield* temporaryDirectory
      const binary = `node-${process.platform}-${process.arch}`
      const nodes = nodeVersions.map((version) => `${nameOf(version)}@npm:${binary}@${version}`)
      yield* sh(`
        mkdir '${folder}/nodes' '${folder}/program' '${folder}/project'
        cd '${folder}/nodes' && echo '{}' > package.json && npm install --silent ${nodes.join(" ")}
        cd '${folder}/program' && echo '{}' > package.json && npm install --silent --offline '${program}'
        cd '${folder}/project' && echo '{ "type": "module" }' > package.json
        # By their exact versions: of a range, npm takes an older one whose engines name this Node. What the range of our peers
        # does not allow yet is tried as well.
        newest() {
          npm view "$1" versions --json | node -p 'JSON.parse(fs.readFileSync(0, "utf8")).filter((version) =>
            /^4[.][0-9]+[.][0-9]+$/.test(version)).sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1)'
        }
        npm install --silent --legacy-peer-deps '${library}' \\
          "effect@$(newest effect)" "@effect/platform-node@$(newest @effect/platform-node)"
      `)
      const project = join(folder, "project")
      yield* Effect.promise(async () => {
        const source = await readFile(join(root, "test/examples/conformance.ts"), "utf8")
        const { code } = await transform(source, { loader: "ts", format: "esm", target: "es2022" })
        await writeFile(join(project, "conformance.js"), code)
      })
      return InstalledOnNodes.of({
        node: (version) => join(folder, "nodes", "node_modules", nameOf(version), "bin", "node"),
        main: join(folder, "program", "node_modules", "mcp-authorizer-gateway", "main.js"),
        project
      })
    })
  ).pipe(Layer.provide(Installed.layer))
}

import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { builtPackage, root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** The package as `npm pack` wraps it, unpacked where a project that depends on it has it. */
export class Installed extends Context.Service<Installed, {
  /** The project. */
  readonly project: string
  /** The paths in the package. */
  readonly files: ReadonlyArray<string>
}>()("mcp-authorizer/test/packaging/Installed") {
  static readonly layer = Layer.effect(
    Installed,
    Effect.gen(function*() {
      const built = yield* builtPackage
      // Beside the build, so that the dependencies are found above.
      const project = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(dirname(built), "consumer-"))),
        (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
      )
      const target = join(project, "node_modules", "mcp-authorizer")
      yield* sh(`
        cd '${project}'
        npm pack --silent --pack-destination . '${built}' > /dev/null
        mkdir -p '${target}' node_modules/.bin
        tar xzf mcp-authorizer-*.tgz --strip-components=1 -C '${target}'
        # As npm installs an executable.
        chmod +x '${target}/${manifest.bin["mcp-authorizer"]}'
        ln -s '../mcp-authorizer/${manifest.bin["mcp-authorizer"]}' node_modules/.bin/mcp-authorizer
        echo '{ "type": "module" }' > package.json
      `)
      const entries = readdirSync(target, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) =>
        join(entry.parentPath, entry.name).slice(target.length + 1)
      )
      return Installed.of({ project, files })
    })
  )
}

/** Runs an ECMAScript module in the project; gives what it prints. */
export const evaluate = (project: string, source: string) =>
  sh(`cd '${project}' && node --input-type=module -e '${source}'`)

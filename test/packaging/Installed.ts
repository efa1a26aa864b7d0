import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { builtPackage, root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** The packages as `npm pack` wraps them: the library where a project that depends on it has it, and the program. */
export class Installed extends Context.Service<Installed, {
  /** A project that depends on the library. */
  readonly project: string
  /** The paths in the library's package. */
  readonly files: ReadonlyArray<string>
  /** The tarball of the library. */
  readonly library: string
  /** The tarball of the program. */
  readonly program: string
}>()("mcp-authorizer/test/packaging/Installed") {
  static readonly layer = Layer.effect(
    Installed,
    Effect.gen(function*() {
      const built = yield* builtPackage
      // Next to the build, so that the dependencies are found above.
      const project = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(dirname(built), "consumer-"))),
        (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
      )
      const target = join(project, "node_modules", "mcp-authorizer")
      yield* sh(`
        mkdir '${project}/packed'
        cp -r '${built}/.' '${project}/packed'
        cd '${root}'
        find src -name README.md | tar cf - -T - README.md LICENSE .github test/README.md test/examples |
          tar xf - -C '${project}/packed'
        cd '${project}'
        npm pack --silent --pack-destination . ./packed ./packed/dist/program > /dev/null
        mkdir -p '${target}'
        tar xzf mcp-authorizer-${manifest.version}.tgz --strip-components=1 -C '${target}'
        echo '{ "type": "module" }' > package.json
      `)
      const entries = readdirSync(target, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) =>
        join(entry.parentPath, entry.name).slice(target.length + 1)
      )
      return Installed.of({
        project,
        files,
        library: join(project, `mcp-authorizer-${manifest.version}.tgz`),
        program: join(project, `mcp-authorizer-gateway-${manifest.version}.tgz`)
      })
    })
  )
}

/** Runs an ECMAScript module in the project; returns its output. */
export const evaluate = (project: string, source: string) =>
  sh(`cd '${project}' && node --input-type=module -e '${source}'`)

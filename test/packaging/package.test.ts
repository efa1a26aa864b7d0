import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { builtPackage, root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** The package as `npm pack` wraps it, unpacked where a project that depends on it has it. */
class Installed extends Context.Service<Installed, {
  /** The project. */
  readonly project: string
  /** The paths in the package. */
  readonly files: ReadonlyArray<string>
}>()("mcp-authorizer/test/packaging/package/Installed") {
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
const evaluate = (project: string, source: string) => sh(`cd '${project}' && node --input-type=module -e '${source}'`)

layer(Installed.layer, { excludeTestServices: true, timeout: 60_000 })("the npm package", (it) => {
  it.effect("holds the compiled program and nothing else", () =>
    Effect.gen(function*() {
      const { files } = yield* Installed
      assert.includeMembers([...files], ["package.json", "dist/main.js", "dist/index.js", "dist/index.d.ts"])
      for (const file of files) assert.match(file, /^(package\.json|dist\/.+\.(js|d\.ts)(\.map)?)$/)
    }))

  it.effect("runs as a command through npm's link", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const version = `mcp-authorizer v${manifest.version}\n`
      assert.strictEqual(yield* sh(`cd '${project}' && node_modules/.bin/mcp-authorizer --version`), version)
    }))

  it.effect("exports what the README imports, and no inner module", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const printed = yield* evaluate(
        project,
        `
        import * as main from "mcp-authorizer"
        import * as node from "mcp-authorizer/node"
        import * as testing from "mcp-authorizer/testing"
        const inner = await import("mcp-authorizer/dist/http/HttpApp.js").catch(({ code }) => code)
        console.log(JSON.stringify([main.version, typeof main.GatewayConfig.layer, typeof main.TokenVerifier.layer,
          typeof node.layer, typeof testing.TestIssuer.layer, inner]))
        `
      )
      assert.deepStrictEqual(JSON.parse(printed), [
        manifest.version,
        "function",
        "object",
        "function",
        "function",
        "ERR_PACKAGE_PATH_NOT_EXPORTED"
      ])
    }))

  it.effect("imports nothing that it does not depend on", () =>
    Effect.gen(function*() {
      const { files, project } = yield* Installed
      const imported = new Set<string>()
      for (const file of files.filter((file) => file.endsWith(".js"))) {
        const text = readFileSync(join(project, "node_modules", "mcp-authorizer", file), "utf8")
        for (const [, specifier = ""] of text.matchAll(/^(?:import|export) (?:.* from )?"([^".][^"]*)"/gm)) {
          if (!specifier.startsWith("node:")) imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "")
        }
      }
      assert.deepStrictEqual([...imported].toSorted(), Object.keys(manifest.dependencies).toSorted())
    }))
})

import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"
import { evaluate, Installed, manifest } from "./Installed.ts"

const emptyFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "bare-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const entries: ReadonlyArray<string> = Object.keys(manifest.exports)

layer(Installed.layer, { excludeTestServices: true, timeout: 60_000 })("the npm package", (it) => {
  it.effect("holds the compiled program, its sources for the source maps, and nothing else", () =>
    Effect.gen(function*() {
      const { files } = yield* Installed
      assert.includeMembers([...files], ["package.json", "dist/main.js", "dist/index.js", "dist/index.d.ts"])
      for (const file of files) {
        assert.match(file, /^(package\.json|src\/.+\.ts|dist\/LICENSES\.txt|dist\/.+\.(js|d\.ts)(\.map)?)$/)
      }
    }))

  it.effect("runs as a command through npm's link", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const version = `mcp-authorizer v${manifest.version}\n`
      assert.strictEqual(yield* sh(`cd '${project}' && node_modules/.bin/mcp-authorizer --version`), version)
    }))

  it.effect("runs as a command where nothing else is installed", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const folder = yield* emptyFolder
      yield* sh(`cp -r '${project}/node_modules/mcp-authorizer' '${folder}'`)
      const main = `'${folder}/mcp-authorizer/${manifest.bin["mcp-authorizer"]}'`
      const settings = "MCP_STATIC_TOKENS=dev-token:dev-client:dev-user:read MCP_SERVER_URL=http://127.0.0.1:9"
      const shown = yield* sh(`${settings} ${main} --check 2> /dev/null`)
      assert.strictEqual(JSON.parse(shown).providers[0].type, "static")
      // The service proper is a file of its own.
      assert.match(yield* sh(`${main} 2>&1 || echo "exit $?"`), /No authentication providers configured[^]*exit 1\n$/)
    }))

  it.effect("can be imported without the optional peer for Node", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const folder = yield* emptyFolder
      const imports = (path: string) =>
        sh(`
          cd '${folder}'
          node --input-type=module -e 'await import("${path}").catch(({ code }) => console.log(code))'
        `)
      yield* sh(`
        cd '${folder}'
        mkdir node_modules
        for name in ${Object.keys(manifest.dependencies).join(" ")} effect
        do mkdir -p "$(dirname node_modules/$name)" && ln -s '${join(root, "node_modules")}'/$name node_modules/$name
        done
        cp -r '${project}/node_modules/mcp-authorizer' node_modules/mcp-authorizer
      `)
      assert.strictEqual(yield* imports("mcp-authorizer"), "")
      assert.strictEqual(yield* imports("mcp-authorizer/node"), "ERR_MODULE_NOT_FOUND\n")
    }))

  it.effect("does not load what reads a command line in order to serve", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const partsOf = (name: string): ReadonlyArray<string> => {
        const map = join(project, "node_modules", "mcp-authorizer", "dist", "node", `${name}.js.map`)
        return JSON.parse(readFileSync(map, "utf8")).sources
      }
      const unwanted =
        /\/(?:effect\/\w+\/(?:cli|ai|rpc)|undici\/lib\/(?:mock|interceptor|cache)|ws\/lib|src\/testing)\//
      assert.isTrue(partsOf("cli").some((path) => unwanted.test(path)))
      assert.deepStrictEqual(partsOf("service").filter((path) => unwanted.test(path)), [])
    }))

  it.effect("states the licences of what is part of its program", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const file = join(project, "node_modules", "mcp-authorizer", "dist", "LICENSES.txt")
      const licenses = readFileSync(file, "utf8")
      for (const dependency of ["@effect/platform-node", "effect", "jose", "undici"]) {
        assert.match(licenses, new RegExp(`^${dependency} \\d\\S+ \\(MIT\\)\n\n[^]*?Copyright \\(c\\)`, "m"))
      }
      // Their packages have no file with the licence.
      assert.match(licenses, /^@bufbuild\/cel \d\S+ \(Apache-2\.0\)\n\nCopyright [^]*?Apache License/m)
      assert.match(licenses, /^@bufbuild\/protobuf \d\S+ \(.*BSD-3-Clause.*\)\n\n[^]*?Google Inc[^]*?Neither the name/m)
    }))

  it.effect("exports what the READMEs import, and no inner module", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const printed = yield* evaluate(
        project,
        `
        import * as main from "mcp-authorizer"
        import * as node from "mcp-authorizer/node"
        import * as testing from "mcp-authorizer/issuer/TestIssuer"
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
        for (
          const [, specifier = ""] of text.matchAll(
            /(?:^(?:import|export) (?:.* from )?|\bimport\()"([^".\s][^"\s]*)"/gm
          )
        ) {
          if (!specifier.startsWith("node:")) imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "")
        }
      }
      // Hono is needed for its types alone.
      const { hono, ...needed } = { ...manifest.dependencies, ...manifest.peerDependencies }
      assert.isString(hono)
      assert.deepStrictEqual([...imported].toSorted(), Object.keys(needed).toSorted())
    }))

  it.effect("exports every module of the barrel by its path, and nothing that is not there", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const barrel = readFileSync(join(root, "src/index.ts"), "utf8")
      const modules = [...barrel.matchAll(/from "\.\/(.+)\.ts"/g)].map(([, path]) => `./${path}`)
      assert.includeMembers([...entries, "./version"], modules)
      const importable = entries.filter((path) => path !== "./package.json" && !path.startsWith("./testing"))
      const imports = importable.map((path) => `await import("${join("mcp-authorizer", path)}")`)
      assert.strictEqual(yield* evaluate(project, `${imports.join(";")};console.log("all")`), "all\n")
    }))

  it.effect("has no side effects: importing prints nothing and starts nothing", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      assert.isFalse(manifest.sideEffects)
      assert.strictEqual(yield* evaluate(project, `await import("mcp-authorizer")`), "")
    }))
})

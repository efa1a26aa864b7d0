import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, statSync } from "node:fs"
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

layer(Installed.layer, { excludeTestServices: true, timeout: 240_000 })("the library's package", (it) => {
  it.effect("holds the modules that its entries lead to with their types, READMEs, examples, and nothing else", () =>
    Effect.gen(function*() {
      const { files } = yield* Installed
      assert.includeMembers([...files], [
        "package.json",
        "README.md",
        "LICENSE",
        ".github/SECURITY.md",
        ".github/CHANGELOG.md",
        "src/config/README.md",
        "test/examples/effectServer.ts",
        "dist/index.js",
        "dist/index.d.ts",
        "dist/http/HttpApp.js",
        "dist/node/NodeGateway.d.ts"
      ])
      const pages =
        /^(?:README\.md|LICENSE|\.github\/\w+\.md|(?:src|test)\/(?:.+\/)?README\.md|test\/examples\/\w+\.ts)$/
      const others = files.filter((file) => !pages.test(file) && file !== "package.json")
      for (const file of others) assert.match(file, /^dist\/.+(?:\.js|\.d\.ts)$/)
      // The program, and what only the program needs.
      for (const path of ["main.js", "node/cli.js", "node/service.js", "node/commands/serve.js", "doctor/examine.js"]) {
        assert.notInclude(others, `dist/${path}`)
      }
      assert.deepStrictEqual(others.filter((file) => file.startsWith("dist/program")), [])
    }))

  it.effect("is smaller than 1 MB", () =>
    Effect.gen(function*() {
      const { library } = yield* Installed
      assert.isBelow(statSync(library).size, 1_000_000)
    }))

  it.effect("is ready to be published with its provenance", () =>
    Effect.sync(() => {
      assert.deepStrictEqual(manifest.publishConfig, { access: "public", provenance: true })
      assert.match(manifest.repository.url, /^git\+https:\/\/.+\.git$/)
      const page = manifest.repository.url.slice("git+".length, -".git".length)
      assert.deepStrictEqual(manifest.bugs, { url: `${page}/issues` })
      assert.strictEqual(manifest.homepage, `${page}#readme`)
      assert.isUndefined(manifest.bin)
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

  it.effect("exports what the READMEs import, and no inner module", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const printed = yield* evaluate(
        project,
        `
        import * as main from "mcp-authorizer"
        import * as node from "mcp-authorizer/node"
        import * as testing from "mcp-authorizer/issuer"
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
      // It needs only the types of some packages.
      for (const file of files.filter((file) => /^dist\/.*(?:\.js|\.d\.ts)$/.test(file))) {
        const text = readFileSync(join(project, "node_modules", "mcp-authorizer", file), "utf8")
        for (
          const [, specifier = ""] of text.matchAll(
            /(?:^(?:import|export) (?:.* from )?|\bimport\()"([^".\s][^"\s]*)"/gm
          )
        ) {
          if (!specifier.startsWith("node:")) imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "")
        }
      }
      const needed = { ...manifest.dependencies, ...manifest.peerDependencies }
      assert.deepStrictEqual([...imported].toSorted(), Object.keys(needed).toSorted())
    }))

  it.effect("has one entry for each kind of program, none for each module, and nothing that is not there", () =>
    Effect.gen(function*() {
      const { project } = yield* Installed
      const middlewares = [
        "HonoMiddleware",
        "HttpApiAuthentication",
        "NextRoutes",
        "NodeMiddleware",
        "RpcAuthentication"
      ]
      assert.sameMembers([...entries], [
        ".",
        "./node",
        "./testing",
        // What a configuration of vitest may import, which `testing` is not.
        "./testing/showFailuresOnNode20",
        // What a process without tests may import.
        "./issuer",
        ...middlewares.map((name) => `./middleware/${name}`),
        "./package.json"
      ])
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

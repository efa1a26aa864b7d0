import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"
import { evaluate, Installed, manifest } from "./Installed.ts"

const entries: ReadonlyArray<string> = Object.keys(manifest.exports)

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
        import * as testing from "mcp-authorizer/testing/TestIssuer"
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
      const needed = { ...manifest.dependencies, ...manifest.peerDependencies }
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

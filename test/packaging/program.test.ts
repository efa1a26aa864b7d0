import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { builtPackage, root } from "../node/support/builtProgram.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { sh } from "../node/support/shell.ts"
import { Installed, manifest } from "./Installed.ts"
import type { LockFile } from "./missingEntries.ts"

interface Component {
  readonly "bom-ref": string
  readonly group?: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly licenses: ReadonlyArray<{ readonly license?: { readonly id: string }; readonly expression?: string }>
  readonly hashes?: ReadonlyArray<{ readonly alg: string; readonly content: string }>
}

interface Bill {
  readonly bomFormat: string
  readonly specVersion: string
  readonly metadata: { readonly timestamp?: string; readonly component: Component }
  readonly components: ReadonlyArray<Component>
  readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: ReadonlyArray<string> }>
}

const lock: LockFile = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))

/** The program's package, installed by npm into an empty folder, without a registry. */
const installed = Effect.gen(function*() {
  const { program } = yield* Installed
  const folder = yield* temporaryDirectory
  yield* sh(`cd '${folder}' && npm install --offline --cache empty --silent '${program}'`)
  const inside = (path: string) => join(folder, "node_modules", "mcp-authorizer-gateway", path)
  const bill: Bill = JSON.parse(readFileSync(inside("sbom.cdx.json"), "utf8"))
  return { folder, inside, bill, licenses: readFileSync(inside("LICENSES.txt"), "utf8") }
})

const nameOf = ({ group, name }: Component): string => group === undefined ? name : `${group}/${name}`

layer(Installed.layer, { excludeTestServices: true, timeout: 240_000 })("the program's package", (it) => {
  it.effect("is installed without any other package, and without the library", () =>
    Effect.gen(function*() {
      const { folder, inside } = yield* installed
      assert.strictEqual(yield* sh(`ls '${folder}/node_modules'`), "mcp-authorizer-gateway\n")
      const own = JSON.parse(readFileSync(inside("package.json"), "utf8"))
      for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "exports"]) {
        assert.notProperty(own, field)
      }
      for (const field of ["version", "license", "engines", "repository", "bugs", "homepage", "publishConfig"]) {
        assert.deepStrictEqual(own[field], manifest[field], field)
      }
      const listed = yield* sh(`cd '${folder}/node_modules/mcp-authorizer-gateway' && find . -type f | sort`)
      assert.strictEqual(
        listed,
        [
          "LICENSE",
          "LICENSES.txt",
          "README.md",
          "main.js",
          "node/cli.js",
          "node/redisClient.js",
          "node/service.js",
          "package.json",
          "sbom.cdx.json"
        ].map((file) => `./${file}\n`).join("")
      )
      assert.isBelow(statSync((yield* Installed).program).size, 2_500_000)
    }))

  it.effect("runs as a command through npm's link, and by `npx` with the name of the package", () =>
    Effect.gen(function*() {
      const { folder } = yield* installed
      const version = `mcp-authorizer v${manifest.version}\n`
      assert.strictEqual(yield* sh(`cd '${folder}' && node_modules/.bin/mcp-authorizer --version`), version)
      const npx = (name: string) => sh(`cd '${folder}' && npx --offline --no-install ${name} --version`)
      assert.strictEqual(yield* npx("mcp-authorizer-gateway"), version)
      assert.strictEqual(yield* npx("mcp-authorizer"), version)
    }))

  it.effect("validates settings, and reports what stops a start", () =>
    Effect.gen(function*() {
      const { folder } = yield* installed
      const main = `'${folder}/node_modules/.bin/mcp-authorizer'`
      const settings = "MCP_STATIC_TOKENS=dev-token:dev-client:dev-user:read MCP_SERVER_URL=http://127.0.0.1:9"
      const shown = yield* sh(`${settings} ${main} --check 2> /dev/null`)
      assert.strictEqual(JSON.parse(shown).providers[0].type, "static")
      // The service proper is a file of its own.
      assert.match(yield* sh(`${main} 2>&1 || echo "exit $?"`), /No authentication providers configured[^]*exit 1\n$/)
    }))

  it.effect("brings the client for a store of its own", () =>
    Effect.gen(function*() {
      const { folder, inside } = yield* installed
      const printed = yield* sh(`
        cd '${folder}'
        node --input-type=module -e '
          const { createClient } = await import("${inside("node/redisClient.js")}")
          console.log(typeof createClient({ socket: { host: "127.0.0.1", port: 9 } }).connect)'
      `)
      assert.strictEqual(printed, "function\n")
      for (const part of ["service", "cli"]) {
        const text = readFileSync(inside(`node/${part}.js`), "utf8")
        assert.include(text, "import(\"./redisClient.js\")")
        assert.notMatch(text, /import\("@redis/)
      }
    }))

  it.effect("does not load what reads a command line in order to serve", () =>
    Effect.gen(function*() {
      const built = yield* builtPackage
      const partsOf = (name: string): ReadonlyArray<string> =>
        JSON.parse(readFileSync(join(built, "dist", "node", `${name}.js.map`), "utf8")).sources
      const unwanted =
        /\/(?:effect\/\w+\/(?:cli|ai|rpc)|undici\/lib\/(?:mock|interceptor|cache)|ws\/lib)\/|(?:^\.\.|\/dist)\/testing\/|@redis\//
      assert.isTrue(partsOf("cli").some((path) => unwanted.test(path)))
      assert.isTrue(partsOf("service").some((path) => path.endsWith("/http/HttpApp.js")))
      assert.deepStrictEqual(partsOf("service").filter((path) => unwanted.test(path)), [])
    }))

  it.effect("states the licences of all that is part of it", () =>
    Effect.gen(function*() {
      const { bill, licenses } = yield* installed
      for (const dependency of ["@effect/platform-node", "effect", "jose", "undici"]) {
        assert.match(licenses, new RegExp(`^${dependency} \\d\\S+ \\(MIT\\)\n\n[^]*?Copyright \\(c\\)`, "m"))
      }
      // Their packages have no file with the licence.
      assert.match(licenses, /^@bufbuild\/cel \d\S+ \(Apache-2\.0\)\n\nCopyright [^]*?Apache License/m)
      assert.match(licenses, /^@bufbuild\/protobuf \d\S+ \(.*BSD-3-Clause.*\)\n\n[^]*?Google Inc[^]*?Neither the name/m)
      assert.match(licenses, /^@redis\/client \d\S+ \(MIT\)\n\nCopyright .*Redis[^]*?Permission is hereby granted/m)
      for (const component of bill.components) {
        assert.match(licenses, new RegExp(`^${nameOf(component)} ${component.version} \\(`, "m"))
      }
    }))

  it.effect("has a bill of materials with every dependency at run time, as the lock file has it", () =>
    Effect.gen(function*() {
      const { bill } = yield* installed
      assert.strictEqual(bill.bomFormat, "CycloneDX")
      assert.strictEqual(bill.specVersion, "1.6")
      assert.strictEqual(bill.metadata.component.purl, `pkg:npm/mcp-authorizer-gateway@${manifest.version}`)
      const names = bill.components.map(nameOf)
      const atRunTime = Object.keys(manifest.dependencies).filter((name) => name !== "@bufbuild/cel-spec")
      assert.includeMembers(names, [...atRunTime, "effect", "@effect/platform-node"])
      assert.strictEqual(new Set(bill.components.map((component) => component["bom-ref"])).size, names.length)
      for (const component of bill.components) {
        const entry = Object.entries(lock.packages).find(([path, { version }]) =>
          path.endsWith(`node_modules/${nameOf(component)}`) && version === component.version
        )?.[1]
        assert.isDefined(entry, nameOf(component))
        const { alg, content } = component.hashes?.[0] ?? { alg: "", content: "" }
        assert.strictEqual(alg, "SHA-512")
        assert.strictEqual(`sha512-${Buffer.from(content, "hex").toString("base64")}`, entry.integrity)
        assert.isTrue(component.licenses.every(({ expression, license }) => (license?.id ?? expression) !== undefined))
      }
    }))

  it.effect("names in its bill of materials what needs what, down from the program", () =>
    Effect.gen(function*() {
      const { bill } = yield* installed
      const needs = new Map(bill.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]))
      const reached = new Set([bill.metadata.component.purl])
      for (const ref of reached) for (const needed of needs.get(ref) ?? []) reached.add(needed)
      assert.sameMembers([...reached], [bill.metadata.component.purl, ...bill.components.map(({ purl }) => purl)])
    }))

  it.effect("holds no time and no path of the machine that built it", () =>
    Effect.gen(function*() {
      const { bill, inside } = yield* installed
      assert.isUndefined(bill.metadata.timestamp)
      assert.strictEqual(
        yield* sh(`grep -rlF -e '${root}' -e "$HOME/" -e node_modules/.cache '${inside("")}' || true`),
        ""
      )
    }))
})

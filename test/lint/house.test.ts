import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Returns the lint output for a file in `folder` of `src` that contains only this line.
 *
 * The file is in a project of its own with the same rules, because other tests read this one.
 */
const lint = (folder: string, line: string): string => {
  const project = mkdtempSync(join(tmpdir(), "mcp-authorizer-lint-"))
  try {
    cpSync(join(root, ".oxlintrc.json"), join(project, ".oxlintrc.json"))
    cpSync(join(root, "src/build/lint"), join(project, "src/build/lint"), { recursive: true })
    const scratch = join(project, "src", folder, "scratch")
    mkdirSync(scratch, { recursive: true })
    const file = join(scratch, "scratch.ts")
    writeFileSync(file, `${line}\n`)
    return spawnSync(process.execPath, [join(root, "node_modules/oxlint/bin/oxlint"), file], {
      cwd: project,
      encoding: "utf8"
    }).stdout
  } finally {
    rmSync(project, { recursive: true })
  }
}

const refused: ReadonlyArray<readonly [folder: string, line: string, why: string]> = [
  ["forward", `export * from "../../verify/TokenVerifier.ts"`, "Forwarding takes an admission, never a token."],
  ["config", `export * from "../../http/HttpApp.ts"`, "`config` comes before `http`"],
  ["config/kinds", `export * from "../../../http/HttpApp.ts"`, "`config` comes before `http`"],
  ["http", `export * from "../../node/cli.ts"`, "`http` comes before `node`"],
  ["spin", `export { join } from "node:path"`, "Only the entry points know the platform."],
  ["http", `export { jwtVerify } from "jose"`, "Only the rooms of keys and tokens know jose."],
  ["forward", `export * from "effect/http/HttpServerResponse"`, "Only the HTTP stage holds requests"],
  ["config", `export * from "effect/http/Headers"`, "A pure room knows nothing of HTTP messages."],
  ["verify", `export * from "effect"`, "Import the module, not the barrel."]
]

/** Lines whose words a reader would stumble over, in each place where words are checked. */
const stumbling: ReadonlyArray<readonly [line: string, why: string]> = [
  ["// Forwards the request, whoever sent it.\nexport const first = 1", "name them"],
  ["// Meanwhile nobody waits.\nexport const first = 1", "no one"],
  ["/** Says whether the token is good. */\nexport const first = 1", "noun phrase"],
  ["export const refuseToken = 1", "reject"],
  [`export const text = "the server answers nothing"`, "respond"]
]

const accepted: ReadonlyArray<readonly [folder: string, line: string]> = [
  ["verify", `export * from "../../keys/JwksCache.ts"`],
  ["node", `export { join } from "node:path"`],
  ["keys", `export { jwtVerify } from "jose"`],
  ["http", `export * from "effect/http/HttpServerResponse"`]
]

const imports = `import * as Effect from "effect/Effect"\nimport * as Layer from "effect/Layer"\n`

/** Layers whose needs and errors only the compiler knows. */
const untyped: ReadonlyArray<string> = [
  "export const layerOne = Layer.fresh(Layer.empty)",
  "export const layerOne = () => Layer.empty",
  "export class One { static readonly layer = Layer.fresh(Layer.empty) }",
  "export class One { static readonly make = Effect.fnUntraced(function*() { return yield* Effect.void }) }"
]

const typed: ReadonlyArray<string> = [
  "export const layerOne: Layer.Layer<never> = Layer.fresh(Layer.empty)",
  "export const layerOne = (): Layer.Layer<never> => Layer.empty",
  "export class One { static readonly layer: Layer.Layer<never> = Layer.fresh(Layer.empty) }",
  "export class One { static readonly make = Effect.fnUntraced(function*(): Effect.fn.Return<void> { yield* Effect.void }) }",
  "const layerOne = Layer.fresh(Layer.empty)"
]

describe("the lint rules of the house", () => {
  for (const [folder, line, why] of refused) {
    it(`src/${folder} must not have \`${line}\``, () => {
      assert.include(lint(folder, line), why)
    })
  }
  for (const [line, why] of stumbling) {
    it(`\`${line}\` is not the field's English`, () => {
      assert.include(lint("errors", line), why)
    })
  }
  it("the field's own words are", () => {
    assert.notInclude(
      lint("errors", "/** Returns whether the request is rejected. */\nexport const response = 1"),
      "house(words)"
    )
  })
  for (const line of untyped) {
    it(`\`${line}\` must have a written type`, () => {
      assert.include(lint("http", `${imports}${line}`), "what it provides, its errors, and what it needs")
    })
  }
  for (const line of typed) {
    it(`\`${line}\` has one`, () => {
      assert.notInclude(lint("http", `${imports}${line}`), "house(layerTypes)")
    })
  }
  for (const [folder, line] of accepted) {
    it(`src/${folder} may have \`${line}\``, () => {
      assert.notInclude(lint(folder, line), "house(rooms)")
    })
  }
})

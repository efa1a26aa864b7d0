import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { basename, dirname } from "node:path"
import { leaks } from "../support/canary.ts"
import { type Ended, type ProgramOptions, runProgram } from "./support/Program.ts"
import { temporaryDirectory, temporaryFile } from "./support/scratch.ts"

const canary = "canary-5d0b6c9e13f7482a"

const document = (members: object = {}) =>
  JSON.stringify({
    server_url: "http://127.0.0.1:8080/from-file",
    log_level: "warn",
    providers: [{ type: "static", tokens: `${canary}:client:user:read` }],
    ...members
  })

const check = (options: ProgramOptions): Effect.Effect<Ended> =>
  runProgram({ ...options, args: [...options.args ?? [], "--check"] })

/** The settings that `--check` printed. */
const accepted = ({ code, stderr, stdout }: Ended) => {
  assert.strictEqual(code, 0, stderr)
  assert.isEmpty(leaks([stdout, stderr], canary))
  return JSON.parse(stdout)
}

describe("config file", { timeout: 60_000 }, () => {
  it.live("--config FILE gives the settings", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("gateway.json", document())
      const shown = accepted(yield* check({ args: ["--config", file] }))
      assert.strictEqual(shown.server_url, "http://127.0.0.1:8080/from-file")
      assert.strictEqual(shown.log_level, "warn")
    }))

  it.live("MCP_CONFIG_FILE gives the settings, relative to the working directory", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("gateway.json", `\ufeff${document()}`)
      const shown = accepted(yield* check({ cwd: dirname(file), env: { MCP_CONFIG_FILE: basename(file) } }))
      assert.strictEqual(shown.server_url, "http://127.0.0.1:8080/from-file")
    }))

  it.live("CFG-02 the environment wins over the file, and --config over MCP_CONFIG_FILE", () =>
    Effect.gen(function*() {
      const file = yield* temporaryFile("gateway.json", document())
      const other = yield* temporaryFile("other.json", document({ server_url: "http://127.0.0.1:8080/other" }))
      const env = { MCP_SERVER_URL: "http://127.0.0.1:8080/from-environment" }
      const shown = accepted(yield* check({ args: ["--config", file], env }))
      assert.strictEqual(shown.server_url, "http://127.0.0.1:8080/from-environment")
      assert.strictEqual(shown.log_level, "warn")

      const named = accepted(yield* check({ args: ["--config", file], env: { MCP_CONFIG_FILE: other } }))
      assert.strictEqual(named.server_url, "http://127.0.0.1:8080/from-file")
    }))

  const unusable = [
    ["that is not there", "ENOENT", Effect.map(temporaryDirectory, (directory) => `${directory}/nothing.json`)],
    ["that is a directory", "EISDIR", temporaryDirectory]
  ] as const
  for (const [what, reason, path] of unusable) {
    it.live(`rejects a file ${what}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({ args: ["--config", yield* path] })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, `MCP_CONFIG_FILE: cannot be read (${reason}). Name a readable file`)
      }))
  }

  const broken = [
    ["is cut off", document().slice(0, -1), "MCP_CONFIG_FILE: is not JSON. It ends at line 1, column 1"],
    ["is no object", `["${canary}"]`, "MCP_CONFIG_FILE: is not a JSON object."],
    ["has an unknown member", document({ client_secrt: canary }), "client_secrt: is not a setting. Did you mean"],
    [
      "is spelt like a variable",
      document({ MCP_PATH: `/${canary}` }),
      "MCP_PATH: is not a setting. Did you mean path?"
    ],
    ["has a wrong value", document({ port: canary }), "PORT (given as port in the config file): is not a whole number"],
    [
      "has an unknown member in a provider",
      document({ providers: [{ type: "static", tokens: "t:c:u:r", secret: canary }] }),
      "MCP_PROVIDERS[0].secret (given as providers in the config file): is not a field of a provider."
    ]
  ] as const
  for (const [what, text, problem] of broken) {
    it.live(`rejects a file that ${what}, without showing what is in it`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({
          env: { MCP_CONFIG_FILE: yield* temporaryFile("a", text) }
        })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, `  ${problem}`)
        assert.isEmpty(leaks([stderr], canary))
      }))
  }
})

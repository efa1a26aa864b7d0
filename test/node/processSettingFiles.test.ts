import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { leaks } from "../support/canary.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { runProgram } from "./support/Program.ts"
import { temporaryDirectory, temporaryFile } from "./support/scratch.ts"
import { sh } from "./support/shell.ts"

const canary = "canary-91c0de77a5b3f2e4"

const introspection = {
  MCP_SERVER_URL: "http://127.0.0.1:8080/mcp",
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "https://mcp.example/mcp",
  MCP_INTROSPECTION_URL: "https://issuer.example/introspect",
  MCP_CLIENT_ID: "gateway"
}

const check = (path: string, more = {}) =>
  runProgram({ args: ["--check"], env: { ...introspection, MCP_CLIENT_SECRET_FILE: path, ...more } })

describe("secrets from files", { timeout: 60_000 }, () => {
  it.live("are read at start, without the line break at the end", () =>
    Effect.gen(function*() {
      for (const end of ["", "\n", "\r\n"]) {
        const { code, stderr, stdout } = yield* check(yield* temporaryFile("client_secret", `${canary}${end}`))
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.isEmpty(leaks([stdout], canary))
      }
    }))

  for (const workers of ["1", "2"]) {
    it.live(`contain tokens that are accepted, with ${workers} ${workers === "1" ? "process" : "workers"}`, () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const tokens = yield* temporaryFile("tokens", `${canary}:client:alice:read\n${canary}2:client:bob:read\n`)
        const { MCP_SERVER_URL = "" } = staticSettings(upstream.origin)
        const { origin } = yield* startGatewayProgram({
          env: { MCP_SERVER_URL, MCP_STATIC_TOKENS_FILE: tokens, MCP_WORKERS: workers }
        })
        const status = (token: string) =>
          Effect.promise(async () =>
            (await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } })).status
          )
        // The upstream's response to a GET.
        assert.strictEqual(yield* status(`${canary}2`), 405)
        assert.deepStrictEqual((yield* upstream.awaitRequest()).headers("x-auth-user-id"), ["bob"])
        assert.strictEqual(yield* status(`${canary}3`), 401)
      }))
  }

  it.live("in a config file, too, and in files that files name", () =>
    Effect.gen(function*() {
      const secret = yield* temporaryFile("client_secret", `${canary}\n`)
      const entry = {
        type: "introspection",
        issuer: "https://issuer.example",
        audience: "a",
        introspection_endpoint: "https://issuer.example/introspect",
        client_id: "gateway",
        client_secret_file: secret
      }
      const providers = yield* temporaryFile("providers.json", JSON.stringify([entry]))
      const config = yield* temporaryFile(
        "gateway.json",
        JSON.stringify({ server_url: "http://127.0.0.1:8080/mcp", providers_file: providers })
      )
      const { code, stderr, stdout } = yield* runProgram({ args: ["--check", "--config", config] })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.strictEqual(JSON.parse(stdout).providers[0].client_id, "gateway")
      assert.isEmpty(leaks([stdout], canary))
    }))

  const unusable = [
    ["is not there", "cannot be read (ENOENT)", Effect.map(temporaryDirectory, (directory) => `${directory}/secret`)],
    ["is a directory", "is a directory", temporaryDirectory],
    ["is empty", "is empty", temporaryFile("secret", "\n")],
    ["is too long", "is longer than 1048576 bytes", temporaryFile("secret", canary.repeat(60_000))],
    [
      "is a pipe without a writer",
      "is not a regular file",
      Effect.tap(
        Effect.map(temporaryDirectory, (directory) => `${directory}/secret`),
        (path) => sh(`mkfifo '${path}'`)
      )
    ]
  ] as const
  for (const [what, problem, file] of unusable) {
    it.live(`stop the start where the file ${what}`, () =>
      Effect.gen(function*() {
        const path = yield* file
        const { code, stderr, stdout } = yield* check(path)
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.strictEqual(
          stderr,
          "Invalid configuration, 1 problem:\n" +
            `  MCP_CLIENT_SECRET_FILE: ${path} ${problem}. Name a readable file that contains only the value.\n`
        )
        assert.isEmpty(leaks([stderr], canary))
      }))
  }

  it.live("prevent the start together with the setting itself, and do not show either", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile("client_secret", canary)
      const { code, stderr } = yield* check(path, { MCP_CLIENT_SECRET: canary })
      assert.strictEqual(code, 1)
      assert.include(
        stderr,
        "MCP_CLIENT_SECRET: is given twice, as MCP_CLIENT_SECRET and as MCP_CLIENT_SECRET_FILE. Keep"
      )
      assert.isEmpty(leaks([stderr], canary))
    }))
})

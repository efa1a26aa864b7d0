import { assert, describe, it, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { createLocalJWKSet, type JWK, jwtVerify } from "jose"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { banner, demoCommands, type DemoFacts } from "../../../src/node/demo/banner.ts"
import { DemoMcpServer } from "../../../src/node/demo/DemoMcpServer.ts"
import { connectV1, connectV2, type OfficialClientOptions } from "../../support/OfficialClients.ts"

const clients = [
  ["client 1.x", "2025-11-25", connectV1],
  ["client 2.x legacy", "2025-11-25", (url: string, o: OfficialClientOptions) => connectV2(url, "legacy", o)],
  ["client 2.x auto", "2026-07-28", (url: string, o: OfficialClientOptions) => connectV2(url, "auto", o)]
] as const

const headers = { "x-auth-user-id": "demo-user", "x-auth-email": "demo@example.com", "x-other": "no" }

layer(DemoMcpServer.layer, { excludeTestServices: true })("DemoMcpServer", (it) => {
  for (const [name, version, connect] of clients) {
    it.effect(`serves ${name}`, () =>
      Effect.gen(function*() {
        const { url } = yield* DemoMcpServer
        const client = yield* connect(url, { headers })
        assert.strictEqual(client.protocolVersion(), version)
        assert.deepStrictEqual(yield* client.tools, ["echo", "add", "whoami"])
        assert.strictEqual(yield* client.call("echo", { message: "hello" }), "{\"message\":\"hello\"}")
        assert.strictEqual(yield* client.call("add", { a: 2, b: 3 }), "{\"sum\":5}")
        assert.deepStrictEqual(JSON.parse(yield* client.call("whoami")), {
          "x-auth-user-id": "demo-user",
          "x-auth-email": "demo@example.com"
        })
      }))
  }

  it.effect("serves browsers, whose origin the gateway has checked", () =>
    Effect.gen(function*() {
      const { url } = yield* DemoMcpServer
      const client = yield* connectV1(url, { headers: { origin: "https://app.example" } })
      assert.lengthOf(yield* client.tools, 3)
    }))
})

const facts = (mcpUrl: string): DemoFacts => ({
  mcpUrl,
  token: "a.b.c",
  tokenLifeSeconds: 3600,
  issuer: "http://127.0.0.1:9",
  tokenEndpoint: "http://127.0.0.1:9/oauth2/token",
  client: { id: "demo", secret: "demo-secret" }
})

/** Runs the command that is called so, after the one that sets the token. */
const run = (given: DemoFacts, title: string, then = "") =>
  Effect.promise(async () => {
    const wanted = demoCommands(given).filter((command) =>
      command.title.startsWith("A token for") || command.title.startsWith(title)
    )
    assert.lengthOf(wanted, 2)
    const script = ["set -e", ...wanted.map(({ command }) => command), then].join("\n")
    return (await promisify(execFile)("sh", ["-c", script])).stdout
  })

const resultOf = (response: string) => JSON.parse(response).result

describe("banner", () => {
  layer(DemoMcpServer.layer, { excludeTestServices: true })((it) => {
    it.effect("prints commands that a shell understands and that the MCP server responds to", () =>
      Effect.gen(function*() {
        const given = facts((yield* DemoMcpServer).url)
        assert.lengthOf(resultOf(yield* run(given, "The tools")).tools, 3)
        assert.deepStrictEqual(resultOf(yield* run(given, "Who am I")).structuredContent, {})
        assert.deepStrictEqual(resultOf(yield* run(given, "A call")).structuredContent, { sum: 5 })
        assert.lengthOf(resultOf(yield* run(given, "The same in")).tools, 3)
      }))
  })

  it.effect("prints a command that gets a token", () =>
    Effect.gen(function*() {
      const client = { id: "demo", secret: "demo-secret" }
      const { issuer, jwks, tokenEndpoint } = yield* TestIssuer.make({ client, audience: "https://other.example" })
      const given = { ...facts("http://localhost:3000/mcp"), issuer, tokenEndpoint, client }
      const token = yield* run(given, "A fresh token", "printf %s \"$TOKEN\"")
      const { keys } = yield* jwks
      yield* Effect.promise(() =>
        jwtVerify(token, createLocalJWKSet({ keys: keys as Array<JWK> }), { // TestIssuer publishes anything
          issuer,
          audience: "http://localhost:3000/mcp",
          currentDate: DateTime.toDateUtc(DateTime.makeUnsafe(0))
        })
      )
    }))

  it("shows every command unabridged", () => {
    const given = facts("http://localhost:3000/mcp")
    const text = banner(given)
    for (const { command } of demoCommands(given)) assert.include(text, `\n${command}\n`)
    assert.include(text, "curl -i http://localhost:3000/mcp\n")
    assert.include(text, "http://localhost:3000/.well-known/oauth-protected-resource/mcp\n")
    assert.include(text, "good for 1 h")
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { tmpdir } from "node:os"
import { promisify } from "node:util"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startGatewayProgram } from "./support/GatewayProgram.ts"
import { runProgram } from "./support/Program.ts"

/** The binary of Node 24, from the npm registry at first use. */
const node24 = Effect.promise(async () => {
  const { stdout } = await promisify(execFile)(
    "npx",
    ["--yes", "-p", "node@24", "node", "-p", "process.execPath"],
    // Outside the repository, so that npm reads none of its settings.
    { cwd: tmpdir() }
  )
  return stdout.trim()
})

describe("on Node 24", () => {
  it.live("checks its settings, serves a verified request, and stops", () =>
    Effect.gen(function*() {
      const node = yield* node24
      const { stdout: version } = yield* Effect.promise(() => promisify(execFile)(node, ["--version"]))
      assert.match(version, /^v24\./)

      const issuer = yield* TestIssuer.make({ audience: "https://mcp.example/mcp" })
      const upstream = yield* makeRecordingUpstream
      const env = {
        MCP_SERVER_URL: upstream.origin,
        MCP_PROVIDER_TYPE: "oidc",
        MCP_JWT_ISSUER: issuer.issuer,
        MCP_JWT_AUDIENCE: "https://mcp.example/mcp"
      }
      const checked = yield* runProgram({ node, args: ["--check"], env })
      assert.deepStrictEqual([checked.code, checked.stderr], [0, ""])
      assert.strictEqual(JSON.parse(checked.stdout).providers[0].issuer, issuer.issuer)

      const gateway = yield* startGatewayProgram({ node, env })
      const post = (token: string) =>
        Effect.promise(async () => {
          const response = await fetch(`${gateway.origin}/mcp`, {
            method: "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: `{"jsonrpc":"2.0","id":7,"method":"ping"}`
          })
          return [response.status, await response.json()]
        })
      const token = yield* issuer.sign()
      assert.deepStrictEqual(yield* post(token), [200, { jsonrpc: "2.0", id: 7, result: {} }])
      assert.deepStrictEqual((yield* upstream.awaitRequest()).headers("x-auth-user-id"), ["user-1"])
      assert.strictEqual((yield* post(`${token.slice(0, -8)}AAAAAAAA`))[0], 401)
      assert.lengthOf(upstream.requests(), 1)

      yield* gateway.signal("SIGTERM")
      const { code, stderr } = yield* gateway.ended
      assert.deepStrictEqual([code, stderr], [0, ""])
    }), 240_000)
})

import { assert, describe, it } from "@effect/vitest"
import { randomBytes, randomUUID } from "node:crypto"
import { loggedPath } from "../../src/errors/loggedPath.ts"

describe("a path in the log", () => {
  it("is shown as far as it is made of words", () => {
    const paths = [
      "/",
      "/mcp",
      "/mcp/",
      "/mcp/tools",
      "/.well-known/oauth-protected-resource/mcp",
      "/v2/Tools/list.json"
    ]
    for (const path of paths) assert.strictEqual(loggedPath(path), path)
    assert.strictEqual(loggedPath("/mcp?access_token=a"), "/mcp")
    assert.strictEqual(loggedPath("/mcp#a"), "/mcp…")
    assert.strictEqual(loggedPath("/mcp;access_token=a"), "/mcp…")
    assert.strictEqual(loggedPath(`${"/a".repeat(12)}?x`), `${"/a".repeat(11)}…`)
  })

  it("ERR-03 shows no segment that could hold a token", () => {
    const secrets = [
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl",
      randomUUID(),
      randomBytes(32).toString("base64url"),
      randomBytes(16).toString("hex"),
      "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
      "sk-live_abcdEFGHijkl",
      "1234567890",
      "access_token=abc",
      "abc%3fdef",
      "user@example.com",
      "\u0000\u001b[31m",
      "a".repeat(60)
    ]
    for (const secret of secrets) {
      for (const path of [`/${secret}`, `/mcp/${secret}`, `/x/${secret}/y`]) {
        const logged = loggedPath(path)
        assert.notInclude(logged, secret)
        assert.include(logged, "…")
      }
    }
  })
})

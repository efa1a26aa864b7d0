import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { changesBetween, restartNeeded, startSettings } from "../../src/config/changes.ts"
import { resolveSources } from "../../src/config/resolve.ts"

const base = {
  server_url: "http://127.0.0.1:8080/mcp",
  jwt_issuer: "https://idp.example.com",
  jwt_audience: "https://notes.example.com/mcp",
  trusted_proxies: "10.0.0.0/8",
  rate_limits: [{ by: ["subject"], limit: 5, window: 60 }],
  rules: [{ tools: ["delete_*"], when: "'admin' in claims.roles" }]
}

const resolved = (document: object) => Result.getOrThrow(resolveSources({ variables: {}, document }))

const changed = (after: object, before: object = base) => changesBetween(resolved(before), resolved(after))

describe("what two configurations differ in", () => {
  it("RELOAD-01 is empty if everything is the same, in any order", () => {
    assert.deepStrictEqual(changed(structuredClone(base)), [])
    assert.deepStrictEqual(changed(Object.fromEntries(Object.entries(base).toReversed())), [])
  })

  it("RELOAD-01 is named without values: settings, providers, servers", () => {
    assert.deepStrictEqual(changed({ ...base, max_waiting: 7 }), ["MCP_MAX_WAITING"])
    assert.deepStrictEqual(changed({ ...base, rules: [{ tools: ["drop_*"], when: "'admin' in claims.roles" }] }), [
      "MCP_RULES"
    ])
    assert.deepStrictEqual(changed({ ...base, jwt_audience: "other" }), ["provider oidc"])
    const { server_url: url, ...rest } = base
    const servers = (...paths: ReadonlyArray<string>) => ({
      ...rest,
      servers: paths.map((path, index) => ({ name: `server-${index}`, path, url }))
    })
    assert.deepStrictEqual(changed(servers("/a/mcp", "/c/mcp"), servers("/a/mcp", "/b/mcp")), ["server server-1"])
    assert.deepStrictEqual(changed(servers("/a/mcp"), servers("/a/mcp", "/b/mcp")), ["server server-1"])
  })

  it("RELOAD-03 needs a restart exactly for what takes effect at start only, all of which the README names", () => {
    const before = resolved(base)
    assert.strictEqual(restartNeeded(before, resolved({ ...base, max_waiting: 7, client_idle_timeout: 9 })), undefined)
    const after = resolved({ ...base, port: 4000, workers: 2 })
    assert.deepStrictEqual(restartNeeded(before, after)?.problems.map(({ setting }) => setting), [
      "PORT",
      "MCP_WORKERS"
    ])
    const text = readFileSync(new URL("../../src/node/README.md", import.meta.url), "utf8").replaceAll(/\s+/g, " ")
    const names = startSettings.map((name) => `\`${name}\``)
    assert.include(text, `${names.slice(0, -1).join(", ")} and ${names.at(-1)} take effect at start only`)
  })
})

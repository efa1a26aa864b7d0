import { assert, describe, it } from "@effect/vitest"
import { gatewayFacts } from "../../src/admin/gatewayFacts.ts"
import { originsOf } from "../../src/config/origins.ts"
import { settingNames } from "../../src/config/settings.ts"
import { settingsOf } from "../config/resolving.ts"

const secret = "0123456789abcdef0123456789abcdef"

const variables = {
  MCP_SERVER_URL: "http://127.0.0.1:8080/mcp",
  MCP_JWT_ISSUER: "https://login.example.com",
  MCP_JWT_AUDIENCE: "https://mcp.example.com/mcp",
  MCP_SESSION_KEY: secret,
  MCP_ADMIN_TOKEN: secret,
  MCP_STATIC_TOKENS: undefined
}

const sourcesOf = (settings: ReturnType<typeof settingsOf>) =>
  new Map(gatewayFacts(settings).settings.map(({ name, source }) => [name, source]))

describe("the settings on the status page", () => {
  it("each have the source that decides about them, and the others are defaults", () => {
    const sources = sourcesOf(settingsOf(variables, { clock_skew: 9, server_url: "http://10.0.0.1/mcp", path: "/mcp" }))
    assert.deepStrictEqual(
      ["MCP_SERVER_URL", "MCP_CLOCK_SKEW", "MCP_PATH", "MCP_MAX_BODY_BYTES", "MCP_PROVIDERS", "MCP_SERVERS"]
        .map((name) => sources.get(name)),
      ["environment", "file", "file", "default", "environment", "default"]
    )
  })

  it("are there once each, by names that exist, and show no secret", () => {
    const facts = gatewayFacts(settingsOf(variables))
    const names = facts.settings.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of names) assert.include(settingNames, name)
    const text = JSON.stringify(facts)
    assert.notInclude(text, secret)
    assert.include(text, "https://login.example.com")
  })

  it("of a program that embeds the gateway are the program's", () => {
    const { settings } = gatewayFacts({ ...settingsOf(variables) })
    assert.deepStrictEqual([...new Set(settings.map(({ source }) => source))], ["program"])
    assert.isUndefined(originsOf({ ...settingsOf(variables) }))
  })
})

describe("the servers and providers on the status page", () => {
  it("one server has no name, its URL, and the URL for clients if that is known", () => {
    const { providers, servers } = gatewayFacts(settingsOf({ ...variables, MCP_PUBLIC_URL: "https://mcp.example.com" }))
    assert.deepStrictEqual(servers, [{
      name: "",
      upstream: "http://127.0.0.1:8080/mcp",
      resource: "https://mcp.example.com/mcp",
      providers: [providers[0]?.name ?? ""]
    }])
    assert.deepStrictEqual(gatewayFacts(settingsOf(variables)).servers[0]?.resource, undefined)
  })

  it("several servers each have their own", () => {
    const { servers } = gatewayFacts(settingsOf({}, {
      public_url: "https://mcp.example.com",
      providers: [{ type: "oidc", name: "staff", issuer: "https://login.example.com", audience: "auto" }],
      servers: [
        { name: "wiki", path: "/wiki", url: "http://wiki.internal/mcp" },
        { name: "files", host: "files.example.com", path: "/mcp", url: "http://files.internal/mcp" }
      ]
    }))
    assert.deepStrictEqual(servers.map(({ name, upstream }) => [name, upstream]), [
      ["wiki", "http://wiki.internal/mcp"],
      ["files", "http://files.internal/mcp"]
    ])
    assert.deepStrictEqual(servers[0]?.resource, "https://mcp.example.com/wiki")
  })

  it("what is valid but unwise is told as at start", () => {
    const { warnings } = gatewayFacts(
      settingsOf({ ...variables, HOST: "0.0.0.0", MCP_FORWARD_AUTHORIZATION: "true" }),
      [
        "This host has a warning of its own."
      ]
    )
    assert.isAtLeast(warnings.length, 2)
    assert.include(warnings, "This host has a warning of its own.")
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { asOwn } from "../../fixtures/providers.ts"
import { complete, onlyProblemOf, problemsOf, settingsOf, settingsOfInput } from "../resolving.ts"

const document = { jwt_issuer: "https://issuer.example", jwt_audience: ["https://mcp.example.com/mcp"] }

describe("config file and embedding", () => {
  it("a file, a value and variables with the same content give the same settings", () => {
    const variables = settingsOf({
      ...complete,
      MCP_AUTH_ENABLED: "yes",
      MCP_REQUIRED_SCOPES: "a, b",
      MCP_CLOCK_SKEW: "5",
      MCP_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      MCP_ALLOWED_ORIGINS: "https://app.example.com",
      MCP_LOG_LEVEL: "DEBUG",
      PORT: "0"
    })
    const rest = {
      auth_enabled: true,
      required_scopes: ["a", "b"],
      clock_skew: 5,
      trusted_proxies: ["10.0.0.0/8", "::1"],
      allowed_origins: "https://app.example.com",
      log_level: "debug",
      port: 0
    } as const
    assert.deepStrictEqual(settingsOf({}, { $schema: "./schema.json", ...document, ...rest }), variables)
    assert.deepStrictEqual(settingsOfInput({ ...document, ...rest, path: undefined }), variables)
  })

  it("CFG-02 variables take precedence over the file, setting by setting", () => {
    const settings = settingsOf({ MCP_PATH: "/a", AUTH_GATEWAY_URL: "http://env" }, {
      ...document,
      path: "/b",
      server_url: "http://file",
      port: 1
    })
    assert.strictEqual(settings.path, "/a")
    assert.strictEqual(settings.gatewayUrl, "http://env")
    assert.strictEqual(settings.port, 1)
    // A value without precedence is not even read.
    assert.strictEqual(settingsOf({ MCP_PATH: "/a" }, { ...document, path: 7 }).path, "/a")
  })

  it("CFG-02 providers in the file and a provider in the variables do not mix", () => {
    const problem = onlyProblemOf({ AUTHKIT_DOMAIN: "t.authkit.app" }, {
      providers: [{ issuer: "https://issuer.example" }]
    })
    assert.strictEqual(problem.setting, "MCP_PROVIDERS")
    assert.strictEqual(problem.source, "providers in the config file")
    assert.include(problem.problem, "AUTHKIT_DOMAIN")
  })

  it("CFG-01 rejects unknown members and names the nearest one", () => {
    for (
      const [key, meant] of [
        ["gatewayurl", "server_url"],
        ["mcp_gateway_url", "server_url"],
        ["MCP_SERVER_URL", "server_url"],
        ["authkit_domain", "jwt_issuer"],
        ["Port", "port"],
        ["provider", "providers"]
      ] as const
    ) {
      const problem = onlyProblemOf({}, { ...document, [key]: 1 })
      assert.strictEqual(problem.setting, key)
      assert.strictEqual(problem.fix, `Did you mean ${meant}?`)
    }
    for (const key of ["config_file", "auth_config", "foo", "", "constructor", "toString"]) {
      const problem = onlyProblemOf({}, { ...document, [key]: "x" })
      assert.strictEqual(problem?.problem, "is not a setting", key)
    }
    const withPrototype: unknown = JSON.parse(`{"jwt_issuer":"https://issuer.example","__proto__":{"port":1}}`)
    assert.strictEqual(problemsOf({}, withPrototype)[0]?.setting, "__proto__")
  })

  it("rejects a document that is not an object", () => {
    for (const value of [null, [], "x", 7, true]) {
      assert.strictEqual(problemsOf(complete, value)[0]?.setting, "MCP_CONFIG_FILE")
    }
  })

  it("CFG-01 requires JSON's own types", () => {
    for (
      const [key, value] of [
        ["auth_enabled", "true"],
        ["auth_enabled", 1],
        ["auth_enabled", null],
        ["clock_skew", "60"],
        ["clock_skew", 1.5],
        ["port", null],
        ["path", 1],
        ["path", ""],
        ["server_url", ["http://x"]],
        ["error_style", "OAuth"],
        ["error_style", 1],
        ["required_scopes", []],
        ["required_scopes", [1]],
        ["required_scopes", {}],
        ["jwt_audience", ""],
        ["jwt_audience", [" "]],
        ["jwt_algorithm", []],
        ["static_tokens", 1],
        ["client_secret", 1],
        ["jwt_public_key", 1],
        ["providers", {}],
        ["providers", "[]"]
      ] as const
    ) {
      const source = `${key} in the config file`
      assert.isTrue(
        problemsOf({}, { ...document, [key]: value }).some((problem) => problem.source === source),
        `${key} ${JSON.stringify(value)}`
      )
    }
  })

  it("a value may hold its secrets redacted", () => {
    const token = Redacted.make("a".repeat(40))
    const settings = settingsOfInput({
      providers: [
        { type: "static", tokens: [{ token, client_id: "c", subject: "s" }] },
        {
          type: "introspection",
          issuer: "https://issuer.example",
          introspection_endpoint: "https://issuer.example/introspect",
          client_id: "c",
          client_secret: Redacted.make("s3cret")
        }
      ]
    })
    const [fixed, asked] = settings.providers.map(asOwn)
    assert.isTrue(
      fixed?.type === "static" && Redacted.value(fixed.tokens[0]?.token ?? Redacted.make("")).length === 40
    )
    assert.isTrue(
      asked?.type === "introspection" && asked.clientAuth.method === "basic" &&
        Redacted.value(asked.clientAuth.clientSecret) === "s3cret"
    )
    const [text] = settingsOfInput({ static_tokens: Redacted.make("t:c:s:") }).providers.map(asOwn)
    assert.isTrue(text?.type === "static" && Redacted.value(text.tokens[0]?.token ?? Redacted.make("")) === "t")
  })
})

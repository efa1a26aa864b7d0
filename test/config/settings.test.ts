import { assert, describe, it } from "@effect/vitest"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Result from "effect/Result"
import { gatewaySocket } from "../../src/config/kinds/gatewaySocket.ts"
import { fromText } from "../../src/config/kinds/kind.ts"
import { resolveSources } from "../../src/config/resolve.ts"
import { fileKey, settingNames, settings } from "../../src/config/settings.ts"
import { ScopeHierarchy } from "../../src/rules/ScopeHierarchy.ts"
import { complete, settingsOf } from "./resolving.ts"

const resolved = (variables: Readonly<Record<string, string>>) => settingsOf({ ...complete, ...variables })

const proxies = (text: string) => {
  const { trustedProxies } = resolved({ MCP_TRUSTED_PROXIES: text })
  return trustedProxies._tag === "Networks" ? trustedProxies.networks.map(IpNetwork.format) : trustedProxies._tag
}

describe("settings", () => {
  it("defaults", () => {
    const { providers, ...rest } = settingsOf(complete)
    assert.strictEqual(providers.length, 1)
    assert.deepStrictEqual<unknown>(rest, {
      serverName: "",
      policy: undefined,
      rules: [],
      defaultRule: "authenticated",
      scopeImplies: ScopeHierarchy.none,
      serverHost: undefined,
      servers: [],
      authEnabled: true,
      requiredScopes: [],
      scopesSupported: [],
      tokenHeader: "authorization",
      gatewayUrl: "http://ftl-mcp-gateway.spin.internal/mcp-internal",
      path: "/mcp",
      publicUrl: undefined,
      allowHttp: [],
      caFile: undefined,
      trustedProxies: { _tag: "None" },
      allowedOrigins: { _tag: "Loopback" },
      allowedEmails: [],
      allowedEmailDomains: [],
      allowedSubjects: [],
      traceHeader: "x-trace-id",
      errorStyle: "oauth",
      stepUp: "http",
      forwardAuth: false,
      forwardAuthUnread: "deny",
      forwardAuthorization: false,
      identityHeaders: true,
      forwardClaims: [],
      upstreamAuth: { _tag: "None" },
      signingKeys: [],
      upstreamCaFile: undefined,
      upstreamClientCertFile: undefined,
      upstreamClientKeyFile: undefined,
      upstreamServerName: undefined,
      injectRequestContext: "auto",
      injectResponseContext: "auto",
      maxTokenBytes: 16_384,
      maxBodyBytes: 4_194_304,
      maxListBytes: 16_777_216,
      clockSkewSeconds: 60,
      upstreamTimeoutMillis: 300_000,
      responseTimeoutMillis: 3_600_000,
      clientHeadMillis: 10_000,
      clientBodyMillis: 60_000,
      clientIdleMillis: 75_000,
      clientMinRate: 128,
      upstreamIdleMillis: 1_000,
      bindSessions: true,
      sessionKeys: [],
      maxClientConnections: 32_768,
      maxWaiting: 2048,
      maxUpstreamConnections: 1024,
      maxStreams: 32_768,
      maxBufferedBytes: 64 * 1024 * 1024,
      rateLimits: [],
      storeUrl: undefined,
      storePassword: undefined,
      storeKeyPrefix: "mcp-authorizer:",
      storeTimeoutMillis: 100,
      storeFailure: "open",
      shutdownDelayMillis: 0,
      shutdownTimeoutMillis: 10_000,
      host: "127.0.0.1",
      port: 3000,
      configWatch: false,
      workers: 1,
      storeVerdicts: true,
      logFormat: "json",
      logNames: "default",
      logLevel: "info",
      auditLog: undefined,
      auditSubjects: "plain",
      auditArguments: [],
      adminPort: undefined,
      adminHost: "127.0.0.1",
      adminToken: undefined,
      adminScopes: []
    })
  })

  it("every default in the table is a value of its own kind", () => {
    const withDefault = settingNames.filter((name) => settings[name].default !== undefined)
    assert.isAbove(withDefault.length, 20)
    for (const name of withDefault) {
      const { default: value = "", kind } = settings[name]
      assert.isTrue(Result.isSuccess<unknown, unknown>(fromText<unknown>(kind, value)), name)
    }
  })

  it("names, aliases and file members are unique", () => {
    const all = settingNames.flatMap((name) => [name, ...settings[name].aliases ?? []])
    assert.strictEqual(new Set(all).size, all.length)
    assert.strictEqual(new Set(settingNames.map(fileKey)).size, settingNames.length)
  })

  it("secrets are marked", () => {
    assert.deepStrictEqual(settingNames.filter((name) => settings[name].secret), [
      "MCP_SESSION_KEY",
      "MCP_UPSTREAM_AUTH",
      "MCP_SIGNING_KEY",
      "MCP_STATIC_TOKENS",
      "MCP_CLIENT_SECRET",
      "MCP_FACADE",
      "MCP_PROVIDERS",
      "MCP_SERVERS",
      "AUTH_CONFIG",
      "MCP_STORE_PASSWORD",
      "MCP_ADMIN_TOKEN"
    ])
  })

  it("booleans have several spellings", () => {
    for (const word of ["true", "TRUE", "Yes", "on", "1", " true\n"]) {
      assert.isTrue(resolved({ MCP_FORWARD_AUTHORIZATION: word }).forwardAuthorization, word)
    }
    for (const word of ["false", "False", "NO", "Off", "0"]) {
      assert.isFalse(resolved({ MCP_IDENTITY_HEADERS: word }).identityHeaders, word)
    }
  })

  it("without authentication no provider is needed, but a configured one must be valid", () => {
    assert.deepStrictEqual(settingsOf({ AUTH_ENABLED: "false" }).providers, [])
    assert.strictEqual(settingsOf({ AUTH_ENABLED: "false", ...complete }).providers.length, 1)
    assert.throws(() => settingsOf({ AUTH_ENABLED: "false", MCP_JWT_ISSUER: "http://x.example" }), /MCP_JWT_ISSUER/)
  })

  it("the public URL is normalized like in browsers, without a slash at the end", () => {
    for (
      const [given, written] of [
        ["https://mcp.example.com", "https://mcp.example.com"],
        ["https://mcp.example.com/", "https://mcp.example.com"],
        ["HTTPS://MCP.example.com:443/a/", "https://mcp.example.com/a"],
        ["http://127.0.0.1:3000", "http://127.0.0.1:3000"]
      ] as const
    ) {
      assert.strictEqual(resolved({ MCP_PUBLIC_URL: given }).publicUrl, written)
    }
    for (
      const bad of [
        "https://mcp.example.com//",
        "https://a@mcp.example.com",
        "https://mcp.example.com/?x",
        "https://mcp.example.com/#",
        "http://mcp.localhost"
      ]
    ) {
      assert.throws(() => resolved({ MCP_PUBLIC_URL: bad }), /MCP_PUBLIC_URL/, bad)
    }
  })

  it("paths", () => {
    for (const path of ["/", "/mcp", "/a/b-c_d.e~f", "/...", "/readyz-mcp"]) {
      assert.strictEqual(resolved({ MCP_PATH: path }).path, path)
    }
    for (
      const path of [
        "//",
        "/a//b",
        "/a/./b",
        "/..",
        "/a%2fb",
        "/a?b",
        "/a#b",
        "/a;b",
        "/a\\b",
        "/:id",
        "/*",
        "/é",
        "/.well-known",
        "/.WELL-known/x",
        "/healthz/x",
        "/readyz",
        "http://x/mcp"
      ]
    ) {
      assert.throws(() => resolved({ MCP_PATH: path }), /MCP_PATH/, path)
    }
  })

  it("trusted proxies", () => {
    assert.strictEqual(proxies("None"), "None")
    assert.strictEqual(proxies("ALL"), "All")
    assert.strictEqual(proxies("*"), "All")
    assert.deepStrictEqual(proxies("10.0.0.0/8, 192.0.2.1 ,fd00::/8,::1"), [
      "10.0.0.0/8",
      "192.0.2.1/32",
      "fd00::/8",
      "::1/128"
    ])
    for (const bad of ["none,10.0.0.1", "1", "10.0.0", "10.0.0.0/33", "localhost", "10.0.0.1:80", "010.0.0.1"]) {
      assert.throws(() => proxies(bad), /MCP_TRUSTED_PROXIES/, bad)
    }
  })

  it("allowed origins follow the address that the gateway listens on, unless they are given", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1"]) {
      assert.deepStrictEqual(resolved({ HOST: host }).allowedOrigins, { _tag: "Loopback" }, host)
    }
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "mcp.example.com", "localhost.example.com"]) {
      assert.deepStrictEqual(resolved({ host }).allowedOrigins, { _tag: "Any" }, host)
    }
    assert.deepStrictEqual(resolved({ MCP_ALLOWED_ORIGINS: "*" }).allowedOrigins, { _tag: "Any" })
    assert.deepStrictEqual(
      resolved({ HOST: "::", MCP_ALLOWED_ORIGINS: "https://a.example, http://localhost:5173" }).allowedOrigins,
      { _tag: "List", origins: ["https://a.example", "http://localhost:5173"] }
    )
    for (
      const bad of ["a.example", "https://a.example/x", "file://", "chrome-extension://abc", "http://a.example:80"]
    ) {
      assert.throws(() => resolved({ MCP_ALLOWED_ORIGINS: bad }), /MCP_ALLOWED_ORIGINS/, bad)
    }
  })

  it("trace headers", () => {
    assert.strictEqual(resolved({ AUTH_TRACE_HEADER: "X-Request-ID" }).traceHeader, "x-request-id")
    assert.strictEqual(resolved({ AUTH_TRACE_HEADER: "traceparent" }).traceHeader, "traceparent")
    for (
      const bad of [
        "Authorization",
        "Host",
        "Connection",
        "Keep-Alive",
        "Content-Length",
        "Content_Length",
        "Set-Cookie",
        "WWW-Authenticate",
        "X-Auth-User-Id",
        "X-Forwarded-For",
        "X-Original-Host",
        "Mcp-Session-Id",
        "MCP-Protocol-Version",
        "Access-Control-Allow-Origin",
        "Trace:",
        "Tracé"
      ]
    ) {
      assert.throws(() => resolved({ AUTH_TRACE_HEADER: bad }), /MCP_TRACE_HEADER/, bad)
    }
  })

  it("the gateway URL is kept as it is written", () => {
    for (const url of ["http://mcp.internal:8080/a/b/", "https://mcp.example.com", "http://[::1]:1/x%20y"]) {
      assert.strictEqual(resolved({ MCP_SERVER_URL: url }).gatewayUrl, url)
    }
    for (
      const bad of [
        "mcp.internal",
        "ftp://mcp.internal",
        "http://",
        "http://a b/",
        "http://u@mcp.internal",
        "http://x/#"
      ]
    ) {
      assert.throws(() => resolved({ MCP_SERVER_URL: bad }), /MCP_SERVER_URL/, bad)
    }
  })

  it("CFG-01 MUST accept one notation for a Unix socket, and reject all others", () => {
    for (
      const [url, socket] of [
        ["http+unix://%2Frun%2Fmcp.sock/mcp", "/run/mcp.sock"],
        ["HTTP+UNIX://%2frun%2Fa%20b%3A1%25.sock/", "/run/a b:1%.sock"],
        [`http+unix://%2F${"a".repeat(106)}/x/y`, `/${"a".repeat(106)}`]
      ] as const
    ) {
      const { gatewayUrl } = resolved({ MCP_SERVER_URL: url })
      assert.deepStrictEqual([gatewayUrl, gatewaySocket(gatewayUrl)], [url, socket])
    }
    for (
      const bad of [
        "unix:/run/mcp.sock",
        "unix:///run/mcp.sock:/mcp",
        "http://unix:/run/mcp.sock:/mcp",
        "https://unix:/run/mcp.sock:/mcp",
        "https+unix://%2Frun%2Fmcp.sock/mcp",
        "http+unix:///run/mcp.sock",
        "http+unix://run%2Fmcp.sock/mcp",
        "http+unix://%2Frun%2Fmcp.sock",
        "http+unix://%2Frun%2F/mcp",
        "http+unix://%2Frun%2Fmcp.sock:80/mcp",
        "http+unix://user@%2Frun%2Fmcp.sock/mcp",
        "http+unix://%2Frun%2Fmcp%00.sock/mcp",
        "http+unix://%2Frun%2Fmcp%FF.sock/mcp",
        "http+unix://%2Frun%2Fmcp.sock/mcp?a=b",
        "http+unix://%2Frun%2Fmcp.sock/mcp#a"
      ]
    ) {
      assert.throws(
        () => resolved({ MCP_SERVER_URL: bad }),
        /Write it as http\+unix:\/\/%2Frun%2Fmcp\.sock\/mcp:/,
        bad
      )
    }
    assert.throws(() => resolved({ MCP_SERVER_URL: `http+unix://%2F${"a".repeat(107)}/x` }), /more than 107 bytes/)
    for (const url of ["http://unix:8080/mcp", "http://unix/mcp", "https://mcp.example.com"]) {
      assert.isUndefined(gatewaySocket(resolved({ MCP_SERVER_URL: url }).gatewayUrl), url)
    }
  })

  it("workers are counted, or as many as the machine runs at a time", () => {
    for (const [text, workers] of [["1", 1], ["1024", 1024], ["auto", "auto"], ["AUTO", "auto"]] as const) {
      assert.strictEqual(resolved({ MCP_WORKERS: text }).workers, workers)
    }
    for (const bad of ["0", "1025", "-1", "1.5", "two", "auto 2"]) {
      assert.throws(() => resolved({ MCP_WORKERS: bad }), /MCP_WORKERS: is neither a whole number/, bad)
    }
    assert.strictEqual(settingsOf(complete, { workers: "auto" }).workers, "auto")
    assert.throws(() => settingsOf(complete, { workers: "2" }), /MCP_WORKERS/)
  })

  it("CFG-02 the command line takes precedence over variables, and variables over the file", () => {
    const file = { document: { workers: 4 } }
    const variables = { ...complete, MCP_WORKERS: "3" }
    const chosen = [
      resolveSources({ ...file, variables, flags: { MCP_WORKERS: "2" } }),
      resolveSources({ ...file, variables }),
      resolveSources({ ...file, variables: complete })
    ]
    assert.deepStrictEqual(chosen.map((settings) => Result.getOrThrow(settings).workers), [2, 3, 4])
  })

  it("times become milliseconds", () => {
    const settings = resolved({ MCP_UPSTREAM_TIMEOUT: "7", MCP_RESPONSE_TIMEOUT: "9", MCP_SHUTDOWN_TIMEOUT: "0" })
    assert.strictEqual(settings.responseTimeoutMillis, 9000)
    assert.strictEqual(settings.upstreamTimeoutMillis, 7000)
    assert.strictEqual(settings.shutdownTimeoutMillis, 0)
  })

  it("scopes are separated by commas or spaces, and are supported unless others are", () => {
    const settings = resolved({ MCP_JWT_REQUIRED_SCOPES: "mcp:read, mcp:write  mcp:read" })
    assert.deepStrictEqual(settings.requiredScopes, ["mcp:read", "mcp:write"])
    assert.deepStrictEqual(settings.scopesSupported, ["mcp:read", "mcp:write"])
    assert.deepStrictEqual(
      resolved({ MCP_REQUIRED_SCOPES: "a", MCP_SCOPES_SUPPORTED: "a,b" }).scopesSupported,
      ["a", "b"]
    )
  })
})

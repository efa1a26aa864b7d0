/** Several MCP servers in the settings: what an entry inherits, what is its own, and what is rejected. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe as describeSettings } from "../../src/config/describe.ts"
import { type GatewaySettings, serversOf } from "../../src/config/GatewaySettings.ts"
import { serverSettings } from "../../src/config/servers/serverFields.ts"
import { fileKey, propertyOf } from "../../src/config/settings.ts"
import { warnings } from "../../src/config/warnings.ts"
import { asOwn } from "../fixtures/providers.ts"
import { onlyProblemOf, problemsOf, rejectionOf, settingsOf, settingsOfInput } from "./resolving.ts"

const secret = "c4n4ry-s3cret-0123456789"

type Entry = Readonly<Record<string, unknown>>

const a = { name: "a", path: "/a/mcp", url: "http://127.0.0.1:8081/mcp" }
const b = { name: "b", path: "/b/mcp", url: "http://127.0.0.1:8082/mcp" }

const gateway = {
  public_url: "https://mcp.example.com",
  providers: [
    { type: "oidc", name: "one", issuer: "https://one.example", audience: "auto" },
    { type: "oidc", name: "two", issuer: "https://two.example", audience: ["auto", "fixed"] }
  ]
}

const document = (servers: ReadonlyArray<unknown>, more: Entry = {}) => ({ ...gateway, servers, ...more })

const resolved = (servers: ReadonlyArray<unknown>, more: Entry = {}): ReadonlyArray<GatewaySettings> =>
  settingsOf({}, document(servers, more)).servers

const audiences = (settings: GatewaySettings | undefined) =>
  settings?.providers.map((provider) => {
    const own = asOwn(provider)
    return "audience" in own ? own.audience : undefined
  })

describe("several servers", () => {
  it("have settings of their own, and inherit what they leave out", () => {
    const [first, second] = resolved(
      [{ ...a, required_scopes: ["a:read"], error_style: "jsonrpc", max_waiting: 7 }, b],
      {
        required_scopes: "mcp",
        max_waiting: 9,
        upstream_timeout: 30
      }
    )
    assert.deepInclude(first, {
      serverName: "a",
      path: "/a/mcp",
      gatewayUrl: a.url,
      requiredScopes: ["a:read"],
      scopesSupported: ["a:read"],
      errorStyle: "jsonrpc",
      maxWaiting: 7,
      upstreamTimeoutMillis: 30_000,
      servers: []
    })
    assert.deepInclude(second, {
      serverName: "b",
      requiredScopes: ["mcp"],
      scopesSupported: ["mcp"],
      errorStyle: "oauth",
      maxWaiting: 9,
      upstreamTimeoutMillis: 30_000
    })
  })

  it("may each have a value for every setting that the table marks as theirs, and for no other", () => {
    const values: Entry = {
      url: "http://other.example/mcp",
      forward_authorization: true,
      identity_headers: false,
      inject_request_context: false,
      inject_response_context: false,
      upstream_timeout: 7,
      response_timeout: 7,
      upstream_idle_timeout: 7,
      bind_sessions: false,
      public_url: "https://other.example",
      path: "/other",
      auth_enabled: false,
      required_scopes: ["other"],
      scopes_supported: ["other"],
      allowed_origins: ["https://other.example"],
      max_body_bytes: 7777,
      max_waiting: 7,
      max_upstream_connections: 7,
      max_streams: 7,
      max_buffered_bytes: 7_777_777,
      error_style: "rfc6750"
    }
    for (const [key, name] of serverSettings) {
      if (values[key] === undefined) continue
      const [first, second] = resolved([{ ...a, [key]: values[key] }, b])
      const property = propertyOf(name) as keyof GatewaySettings
      assert.notDeepEqual(first?.[property], second?.[property], key)
      const shown = describeSettings(settingsOf({}, document([{ ...a, [key]: values[key] }, b])))["servers"]
      assert.deepStrictEqual((shown as ReadonlyArray<Entry>)[0]?.[key], values[key], key)
    }
    for (const key of ["port", "workers", "trusted_proxies", "session_key", "log_level", "jwt_issuer", "servers"]) {
      const { setting } = onlyProblemOf({}, document([{ ...a, [key]: "1" }, b]))
      assert.strictEqual(setting, `MCP_SERVERS[0].${key}`)
    }
  })

  it("have the audience auto each for itself, also where a provider names none", () => {
    const [first, second] = resolved([a, { ...b, host: "b.example.com" }])
    assert.deepStrictEqual(audiences(first), [["https://mcp.example.com/a/mcp"], [
      "https://mcp.example.com/a/mcp",
      "fixed"
    ]])
    assert.deepStrictEqual(audiences(second), [["https://b.example.com/b/mcp"], [
      "https://b.example.com/b/mcp",
      "fixed"
    ]])
    const silent = { providers: [{ type: "oidc", issuer: "https://one.example" }] }
    assert.deepStrictEqual(audiences(resolved([a, b], silent)[1]), [["https://mcp.example.com/b/mcp"]])
    // Their own configuration counts: clients instead of audiences, and audiences of the operator.
    const clients = { providers: [{ type: "oidc", issuer: "https://one.example", allowed_clients: "app" }] }
    assert.deepStrictEqual(audiences(resolved([a, b], clients)[1]), [[]])
    const fixed = { providers: [{ type: "oidc", issuer: "https://one.example", audience: "api" }] }
    assert.deepStrictEqual(audiences(resolved([a, b], fixed)[1]), [["api"]])
    // One server continues unchanged.
    assert.deepStrictEqual(audiences(settingsOf({ MCP_JWT_ISSUER: "https://one.example" })), [[]])
  })

  it("take providers by their names, or all", () => {
    const [first, second] = resolved([{ ...a, providers: ["two"] }, b])
    assert.deepStrictEqual(first?.providers.map(({ name }) => name), ["two"])
    assert.deepStrictEqual(second?.providers.map(({ name }) => name), ["one", "two"])
    const single = settingsOf({}, {
      servers: [{ ...a, providers: "oidc" }],
      jwt_issuer: "https://one.example",
      public_url: "https://mcp.example.com"
    })
    assert.deepStrictEqual(single.servers[0]?.providers.map(({ name }) => name), ["oidc"])
  })

  it("require the scopes of their own providers only", () => {
    const providers = [
      { type: "oidc", name: "one", issuer: "https://one.example", required_scopes: "one" },
      { type: "oidc", name: "two", issuer: "https://two.example", required_scopes: "two" }
    ]
    const [first, second] = resolved([{ ...a, providers: "one" }, b], { providers })
    assert.deepStrictEqual(first?.scopesSupported, ["one"])
    assert.deepStrictEqual(second?.scopesSupported, ["one", "two"])
  })

  it("put their host into the public URL, unless they have one of their own", () => {
    const at = (entry: Entry, more: Entry = {}) => resolved([{ ...a, ...entry }], more)[0]?.publicUrl
    assert.strictEqual(at({}), "https://mcp.example.com")
    assert.strictEqual(at({ host: "Files.Example.COM." }), "https://files.example.com")
    assert.strictEqual(at({ host: "files.example.com:8443" }), "https://files.example.com:8443")
    assert.strictEqual(
      at({ host: "b.example" }, { public_url: "https://x.example:8443/t" }),
      "https://b.example:8443/t"
    )
    assert.strictEqual(at({ host: "b.example" }, { public_url: undefined }), "https://b.example")
    assert.strictEqual(at({ host: "b.example" }, { public_url: "http://localhost:3000" }), "https://b.example")
    assert.strictEqual(at({ host: "127.0.0.1:81" }, { public_url: "http://localhost:3000" }), "http://127.0.0.1:81")
    assert.strictEqual(at({ host: "127.0.0.1:3000" }, { public_url: undefined }), "http://127.0.0.1:3000")
    assert.strictEqual(at({ host: "b.example", public_url: "https://c.example" }), "https://c.example")
    const lan = { public_url: "http://mcp.lan", allow_http: ["mcp.lan", "files.lan"] }
    assert.strictEqual(at({ host: "files.lan" }, lan), "http://files.lan")
    assert.strictEqual(
      onlyProblemOf({}, document([{ ...a, host: "files.example" }], lan)).setting,
      "MCP_SERVERS[0].host"
    )
  })

  it("are the same from a variable as from a file, and from TypeScript code", () => {
    const fromFile = settingsOf({}, document([a, b]))
    const { providers, public_url } = gateway
    const fromVariables = settingsOf({
      MCP_PUBLIC_URL: public_url,
      MCP_PROVIDERS: JSON.stringify(providers),
      MCP_SERVERS: JSON.stringify([a, b])
    })
    const inCode = settingsOfInput({
      public_url,
      providers: [{ ...gateway.providers[0], type: "oidc" }, { ...gateway.providers[1], type: "oidc" }],
      servers: [a, b]
    })
    for (const other of [fromVariables, inCode]) {
      assert.deepStrictEqual(describeSettings(other), describeSettings(fromFile))
    }
  })

  it("leave the settings of a single server as they were", () => {
    const single = settingsOf({ MCP_JWT_ISSUER: "https://one.example" })
    assert.deepStrictEqual(single.servers, [])
    assert.deepStrictEqual(serversOf(single), [single])
  })

  it("are listed by the description with their resource, and with what differs", () => {
    const shown = describeSettings(
      settingsOf({}, document([{ ...a, providers: ["one"] }, { ...b, host: "b.example.com" }]))
    )
    assert.strictEqual(shown["server_url"], null)
    assert.deepStrictEqual<unknown>(shown["servers"], [
      {
        ...a,
        host: null,
        resource: "https://mcp.example.com/a/mcp",
        providers: ["one"]
      },
      {
        ...b,
        host: "b.example.com",
        resource: "https://b.example.com/b/mcp",
        providers: ["one", "two"],
        public_url: "https://b.example.com"
      }
    ])
  })
})

/** A mistake, the place where it is reported, and the same settings without it. */
const mistakes: ReadonlyArray<readonly [title: string, setting: string, wrong: unknown, right: unknown]> = [
  ["no array", "MCP_SERVERS", { servers: { a } }, { servers: [a] }],
  ["no servers", "MCP_SERVERS", { servers: [] }, { servers: [a] }],
  ["a server in addition to servers", "MCP_SERVERS", { servers: [a], server_url: "http://x.example/mcp" }, {
    servers: [a]
  }],
  ["no object", "MCP_SERVERS[1]", { servers: [a, "b"] }, { servers: [a, b] }],
  ["no name", "MCP_SERVERS[1].name", { servers: [a, { ...b, name: undefined }] }, { servers: [a, b] }],
  ["an empty name", "MCP_SERVERS[0].name", { servers: [{ ...a, name: "" }] }, { servers: [a] }],
  ["a name with a space", "MCP_SERVERS[0].name", { servers: [{ ...a, name: "a b" }] }, {
    servers: [{ ...a, name: "a.b_c-1" }]
  }],
  ["a name that ends in a dot", "MCP_SERVERS[0].name", { servers: [{ ...a, name: "a." }] }, { servers: [a] }],
  ["a long name", "MCP_SERVERS[0].name", { servers: [{ ...a, name: "a".repeat(65) }] }, {
    servers: [{ ...a, name: "a".repeat(64) }]
  }],
  ["a name twice", "MCP_SERVERS[1].name", { servers: [a, { ...b, name: "A" }] }, { servers: [a, b] }],
  ["no URL", "MCP_SERVERS[0].url", { servers: [{ ...a, url: undefined }] }, { servers: [a] }],
  ["an unusable URL", "MCP_SERVERS[0].url", { servers: [{ ...a, url: "ftp://x" }] }, { servers: [a] }],
  ["the URL under its flat name", "MCP_SERVERS[0].server_url", { servers: [{ ...a, server_url: a.url }] }, {
    servers: [a]
  }],
  ["a path twice", "MCP_SERVERS[1].path", { servers: [a, { ...b, path: a.path }] }, {
    servers: [a, { ...b, path: "/a/mcp/b" }]
  }],
  [
    "a path twice at one host",
    "MCP_SERVERS[1].path",
    { servers: [{ ...a, host: "x.example" }, { ...b, path: a.path, host: "X.example." }] },
    { servers: [{ ...a, host: "x.example" }, { ...b, path: a.path, host: "y.example" }] }
  ],
  ["a path that is left out twice", "MCP_SERVERS[1].path", {
    servers: [{ ...a, path: undefined }, { ...b, path: undefined }]
  }, {
    servers: [{ ...a, path: undefined }, b]
  }],
  ["a path below the well-known ones", "MCP_SERVERS[0].path", { servers: [{ ...a, path: "/.well-known/a" }] }, {
    servers: [{ ...a, path: "/well-known/a" }]
  }],
  ["the path of a probe", "MCP_SERVERS[0].path", { servers: [{ ...a, path: "/healthz" }] }, {
    servers: [{ ...a, path: "/" }]
  }],
  ["a path with a dot segment", "MCP_SERVERS[0].path", { servers: [{ ...a, path: "/a/../b" }] }, { servers: [a] }],
  ["a host that is a URL", "MCP_SERVERS[0].host", { servers: [{ ...a, host: "https://a.example" }] }, {
    servers: [{ ...a, host: "a.example" }]
  }],
  ["a host with a wildcard", "MCP_SERVERS[0].host", { servers: [{ ...a, host: "*.a.example" }] }, { servers: [a] }],
  ["a host that is no address", "MCP_SERVERS[0].host", { servers: [{ ...a, host: "256.1.1.1" }] }, {
    servers: [{ ...a, host: "[::1]:3000" }]
  }],
  ["a host with an impossible port", "MCP_SERVERS[0].host", { servers: [{ ...a, host: "a.example:99999" }] }, {
    servers: [{ ...a, host: "a.example:8443" }]
  }],
  ["an unknown provider", "MCP_SERVERS[0].providers", { servers: [{ ...a, providers: ["one", "tow"] }] }, {
    servers: [{ ...a, providers: ["one", "two"] }]
  }],
  ["no provider", "MCP_SERVERS[0].providers", { servers: [{ ...a, providers: [] }] }, {
    servers: [{ ...a, providers: ["one"] }]
  }],
  ["an unknown field", "MCP_SERVERS[0].required_scope", { servers: [{ ...a, required_scope: "x" }] }, {
    servers: [{ ...a, required_scopes: "x" }]
  }],
  ["a wrong value", "MCP_SERVERS[0].max_waiting", { servers: [{ ...a, max_waiting: secret }] }, {
    servers: [{ ...a, max_waiting: 1 }]
  }],
  ["the audience auto without a URL", "MCP_SERVERS[0].providers", { servers: [a], public_url: undefined }, {
    servers: [{ ...a, host: "a.example" }],
    public_url: undefined
  }],
  [
    "metadata where that of another server is",
    "MCP_SERVERS[1].path",
    { servers: [{ ...a, path: "/a" }, { ...b, path: "/t/a" }], public_url: "https://mcp.example.com/t" },
    { servers: [{ ...a, path: "/a" }, { ...b, path: "/u/a" }], public_url: "https://mcp.example.com/t" }
  ],
  [
    "the own endpoint of another server as the URL",
    "MCP_SERVERS[0].url",
    { servers: [{ ...a, url: "https://mcp.example.com/b/mcp/x" }, b] },
    { servers: [{ ...a, url: "https://mcp.example.com/c/mcp" }, b] }
  ]
]

describe("wrong servers", () => {
  for (const [title, setting, wrong, right] of mistakes) {
    it(`CFG-01 stop the start, with a fix: ${title}`, () => {
      const { message, problems } = rejectionOf({}, { ...gateway, ...wrong as Entry })
      assert.deepStrictEqual([...new Set(problems.map(({ setting }) => setting))], [setting], message)
      for (const { fix, problem } of problems) {
        assert.isNotEmpty(problem)
        assert.isNotEmpty(fix)
      }
      assert.notInclude(message, secret)
      // Positive control.
      settingsOf({}, { ...gateway, ...right as Entry })
    })
  }

  it("CFG-01 are reported all at once", () => {
    const problems = problemsOf({}, document([{ name: "a b", host: "/", path: "x" }, 3, { ...b, error_style: "x" }]))
    assert.sameMembers(problems.map(({ setting }) => setting), [
      "MCP_SERVERS[0].name",
      "MCP_SERVERS[0].host",
      "MCP_SERVERS[0].path",
      "MCP_SERVERS[0].url",
      "MCP_SERVERS[1]",
      "MCP_SERVERS[2].error_style"
    ])
  })

  it("CFG-01 name a missing provider once, and none is needed where all servers let everybody in", () => {
    assert.strictEqual(onlyProblemOf({}, { servers: [a, b] }).setting, "MCP_PROVIDERS")
    const open = [{ ...a, auth_enabled: false }, { ...b, auth_enabled: false }]
    assert.strictEqual(settingsOf({}, { servers: open }).servers.length, 2)
    assert.strictEqual(onlyProblemOf({}, { servers: [open[0], b] }).setting, "MCP_PROVIDERS")
  })

  it.effect.prop(
    "CFG-01 never throw, for any entry",
    { entry: Schema.Record(Schema.Literals(["name", "host", "path", "url", "providers", "x"]), Schema.Json) },
    ({ entry }) =>
      Effect.sync(() => {
        try {
          settingsOf({}, document([entry]))
        } catch (error) {
          assert.include((error as Error).message, "MCP_SERVERS")
        }
      })
  )
})

const warned = (servers: ReadonlyArray<unknown>, more: Entry = {}) =>
  warnings(settingsOf({}, document(servers, { host: "0.0.0.0", ...more })))

const provider = (changes: Entry) => ({
  providers: [{ type: "oidc", name: "one", issuer: "https://one.example", ...changes }]
})

describe("warnings of several servers", () => {
  it("name the servers that they are about, and say once what is about all", () => {
    assert.deepStrictEqual(warned([a, b]), [])
    const [one = "", ...others] = warned([{ ...a, forward_authorization: true }, b])
    assert.match(one, /^Server "a": The client's token/)
    assert.isEmpty(others)
    const [all = "", ...rest] = warned([a, b], { forward_authorization: true })
    assert.match(all, /^The client's token/)
    assert.isEmpty(rest)
  })

  it("say whose tokens are accepted by several servers alike, and whose by none", () => {
    assert.match(
      warned([a, b], provider({ audience: "api" })).join(),
      /"one": its tokens are accepted alike by the servers "a", "b"/
    )
    assert.deepStrictEqual(warned([a], provider({ audience: "api" })), [])
    assert.deepStrictEqual(warned([a, b], provider({ audience: "auto" })), [])
    assert.deepStrictEqual(warned([a, b], provider({})), [])
    const unused = warned([{ ...a, providers: "one" }, { ...b, providers: "one" }])
    assert.match(unused.join(), /"two": no server accepts its tokens/)
  })
})

it("the members of an entry are called as in the file, but for those about the server alone", () => {
  const ofTheServer: Readonly<Record<string, string>> = {
    url: "MCP_SERVER_URL",
    ca_file: "MCP_UPSTREAM_CA_FILE",
    client_cert_file: "MCP_UPSTREAM_CLIENT_CERT_FILE",
    client_key_file: "MCP_UPSTREAM_CLIENT_KEY_FILE",
    server_name: "MCP_UPSTREAM_SERVER_NAME"
  }
  for (const [key, name] of serverSettings) assert.isTrue(ofTheServer[key] === name || key === fileKey(name), key)
  for (const key of Object.keys(ofTheServer)) assert.isTrue(serverSettings.has(key), key)
})

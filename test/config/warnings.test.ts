import { assert, describe, it } from "@effect/vitest"
import { warnings } from "../../src/config/warnings.ts"
import { hostWarnings } from "../../src/node/hostWarnings.ts"
import { complete, settingsOf } from "./resolving.ts"

const long = "x".repeat(32)

const given = (variables: Readonly<Record<string, string>>) => warnings(settingsOf(variables))

const scopes = (required: string, supported: string) =>
  given({ ...complete, MCP_REQUIRED_SCOPES: required, MCP_SCOPES_SUPPORTED: supported })

const elsewhere = { ...complete, HOST: "0.0.0.0", MCP_PUBLIC_URL: "https://mcp.example.com" }

const introspection = {
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "a",
  MCP_INTROSPECTION_URL: "https://issuer.example/i",
  MCP_CLIENT_ID: "c",
  MCP_CLIENT_SECRET: "s"
}

type Variables = Readonly<Record<string, string>>

/** An unwise setting, the text that its warning must contain, its variables, and the same variables corrected. */
const unwise: ReadonlyArray<readonly [name: string, named: string, bad: Variables, good: Variables]> = [
  ["authentication that is off", "MCP_AUTH_ENABLED", { ...complete, AUTH_ENABLED: "false" }, complete],
  ["sessions that are not bound", "MCP_BIND_SESSIONS", { ...complete, MCP_BIND_SESSIONS: "false" }, complete],
  ["a JWT provider without an audience", "MCP_JWT_AUDIENCE", { AUTHKIT_DOMAIN: "t.authkit.app" }, {
    AUTHKIT_DOMAIN: "t.authkit.app",
    MCP_JWT_AUDIENCE: "a"
  }],
  [
    "an introspection provider without an audience",
    "MCP_JWT_AUDIENCE",
    { ...introspection, MCP_JWT_AUDIENCE: "" },
    introspection
  ],
  ...["email", "upn", "user.email", "https://notes.example/preferred_username"].map((
    claim
  ): readonly [string, string, Variables, Variables] => [
    `a subject that can change: ${claim}`,
    `the subject is read from ${claim}`,
    { ...complete, MCP_SUBJECT_CLAIMS: `oid, ${claim}` },
    { ...complete, MCP_SUBJECT_CLAIMS: "oid, user.id, https://notes.example/uid" }
  ]),
  ["one short static token", "1 static token", { MCP_STATIC_TOKENS: `${long}:c:s:;${long.slice(1)}:c:s:` }, {
    MCP_STATIC_TOKENS: `${long}:c:s:;${long}x:c:s:`
  }],
  ["two short static tokens", "2 static tokens", { MCP_STATIC_TOKENS: "a:c:s:;b:c:s:" }, {
    MCP_STATIC_TOKENS: `${long}:c:s:;${long}x:c:s:`
  }],
  [
    "static tokens on an address that others reach",
    "Provider \"static\"",
    { MCP_STATIC_TOKENS: `${long}:c:s:`, HOST: "0.0.0.0" },
    { MCP_STATIC_TOKENS: `${long}:c:s:`, HOST: "127.0.0.1" }
  ],
  [
    "tokens verified at the userinfo endpoint",
    "Provider \"userinfo\"",
    { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" },
    introspection
  ],
  [
    "plain http to a provider",
    "MCP_ALLOW_HTTP permits to ask keycloak, idp.lan ",
    { ...complete, MCP_ALLOW_HTTP: "keycloak, IDP.lan", MCP_JWT_JWKS_URI: "http://keycloak:8080/jwks" },
    { ...complete, MCP_JWT_JWKS_URI: "https://keycloak:8443/jwks" }
  ],
  ["the client's token for the MCP server", "MCP_FORWARD_AUTHORIZATION", {
    ...complete,
    MCP_FORWARD_AUTHORIZATION: "true"
  }, complete],
  [
    "required scopes that are not listed",
    "MCP_SCOPES_SUPPORTED",
    { ...complete, MCP_REQUIRED_SCOPES: "a,b", MCP_SCOPES_SUPPORTED: "a" },
    { ...complete, MCP_REQUIRED_SCOPES: "a,b", MCP_SCOPES_SUPPORTED: "a,b" }
  ],
  [
    "subjects of which two providers may have the same",
    "MCP_ALLOWED_SUBJECTS",
    {
      MCP_PUBLIC_URL: "https://mcp.example.com",
      MCP_ALLOWED_ORIGINS: "*",
      MCP_PROVIDERS:
        `[{"type":"oidc","name":"a","issuer":"https://a.idp.test","audience":"auto"},{"type":"oidc","name":"b","issuer":"https://b.idp.test","audience":"auto"}]`,
      MCP_ALLOWED_SUBJECTS: "robot"
    },
    { ...complete, MCP_ALLOWED_SUBJECTS: "robot" }
  ],
  [
    "a public URL that ends in the MCP path",
    "MCP_PATH",
    { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com/mcp", MCP_ALLOWED_ORIGINS: "*" },
    { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com", MCP_ALLOWED_ORIGINS: "*" }
  ],
  [
    "a public URL without origins for its web clients",
    "MCP_ALLOWED_ORIGINS",
    { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com" },
    { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com", MCP_ALLOWED_ORIGINS: "https://app.example.com" }
  ],
  [
    "an audience that is the issuer",
    "MCP_JWT_AUDIENCE",
    { ...complete, MCP_JWT_AUDIENCE: "https://issuer.example/" },
    complete
  ],
  [
    "an audience without the MCP path",
    "https://mcp.example.com/mcp",
    { ...elsewhere, MCP_JWT_AUDIENCE: "https://mcp.example.com/" },
    { ...elsewhere, MCP_JWT_AUDIENCE: "https://mcp.example.com/mcp" }
  ],
  [
    "the issuer of an example",
    "Provider \"oidc\"",
    { ...complete, MCP_JWT_ISSUER: "https://your-domain.auth0.com/" },
    { ...complete, MCP_JWT_ISSUER: "https://orchard.auth0.com/" }
  ],
  ["a client id with a space", "client id", { ...introspection, MCP_CLIENT_ID: "one two" }, introspection]
]

const limits = (...by: ReadonlyArray<string>) => ({
  MCP_RATE_LIMITS: JSON.stringify([{ by, limit: 1, window: 1 }])
})

const sessionKey = { MCP_SESSION_KEY: "k".repeat(32) }

const aboutStore = (url: string, more = {}) => given({ ...complete, ...sessionKey, MCP_STORE_URL: url, ...more }).join()

describe("warnings", () => {
  it("are empty for sound settings", () => {
    assert.deepStrictEqual(given(complete), [])
    assert.deepStrictEqual(given({ ...complete, HOST: "0.0.0.0", MCP_PUBLIC_URL: "https://mcp.example.com" }), [])
    assert.deepStrictEqual(given({ MCP_STATIC_TOKENS: `${long}:c:s:` }), [])
  })

  it.each(unwise)("%s has one, which names what to change, and is gone once that is changed", (_, named, bad, good) => {
    const [warning = "", ...others] = given(bad)
    assert.deepStrictEqual(others, [])
    assert.include(warning, named)
    assert.deepStrictEqual(given(good), [])
  })

  it("are different for different mistakes", () => {
    const texts = unwise.map(([, , bad]) => given(bad).join())
    assert.strictEqual(new Set(texts).size, texts.length)
  })

  it("plain http has one for each provider, and one for the public URL", () => {
    const says = given({
      MCP_ALLOW_HTTP: "mcp.lan",
      MCP_PUBLIC_URL: "http://mcp.lan:3000",
      MCP_ALLOWED_ORIGINS: "*",
      MCP_PROVIDERS: JSON.stringify([
        { issuer: "https://issuer.example", audience: "auto", allow_http: ["keycloak"] },
        {
          type: "introspection",
          issuer: "http://mcp.lan",
          audience: "auto",
          introspection_endpoint: "http://mcp.lan/i",
          client_auth: "none"
        }
      ])
    })
    assert.lengthOf(says, 3)
    assert.match(says[0] ?? "", /Provider "oidc": MCP_ALLOW_HTTP permits to ask mcp\.lan, keycloak over http/)
    assert.match(says[1] ?? "", /Provider "introspection": MCP_ALLOW_HTTP permits to ask mcp\.lan over http/)
    assert.include(says[2], "MCP_PUBLIC_URL")
  })

  it("say nothing about scopes that are listed in the provider's own form", () => {
    assert.deepStrictEqual(scopes("read", "api://app/read"), [])
    assert.deepStrictEqual(scopes("read,write", "api://app/.default offline_access"), [])
    assert.deepStrictEqual(scopes("mcp:read", "https://mcp.example.com/mcp:read openid"), [])
    for (
      const [required, supported] of [["read", "api://app/unread"], ["read", "mcp:read"], [
        "read,write",
        "api://app/read"
      ]] as const
    ) {
      assert.match(scopes(required, supported).join(), /MCP_SCOPES_SUPPORTED/, supported)
    }
  })

  it("a provider's own required scopes must be listed too", () => {
    const provider = { issuer: "https://issuer.example", audience: "a", required_scopes: ["read"] }
    const listing = (supported: string) =>
      given({ MCP_PROVIDERS: JSON.stringify([provider]), MCP_SCOPES_SUPPORTED: supported })
    assert.match(listing("write").join(), /MCP_SCOPES_SUPPORTED/)
    assert.deepStrictEqual(listing("read"), [])
  })

  it("say nothing about usual audiences and origins", () => {
    for (
      const audience of [
        "auto",
        "auto,https://mcp.example.com",
        "https://mcp.example.com/mcp/",
        "api://app",
        "account"
      ]
    ) {
      assert.deepStrictEqual(given({ ...elsewhere, MCP_JWT_AUDIENCE: audience }), [], audience)
    }
    assert.deepStrictEqual(given({ ...complete, MCP_PUBLIC_URL: "http://localhost:3000" }), [])
    const origins = { MCP_PUBLIC_URL: "https://mcp.example.com", MCP_ALLOWED_ORIGINS: "https://app.example.com" }
    assert.deepStrictEqual(given({ ...complete, ...origins }), [])
  })

  it("STK-06 the caller can say whether this is a development machine", () => {
    const settings = settingsOf({ MCP_STATIC_TOKENS: `${long}:c:s:` })
    assert.deepStrictEqual(warnings(settings, { development: true }), [])
    assert.strictEqual(warnings(settings, { development: false }).length, 1)
  })

  it("there is one for required scopes with a userinfo provider", () => {
    const userinfo = { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" }
    assert.strictEqual(given(userinfo).length, 1)
    assert.strictEqual(given({ ...userinfo, MCP_REQUIRED_SCOPES: "a" }).length, 2)
  })

  it("there is one for limits that count less than they seem to", () => {
    const store = { ...sessionKey, MCP_STORE_URL: "rediss://store.example" }
    const workers = { ...complete, ...limits("subject"), MCP_WORKERS: "2" }
    assert.match(given(workers).join(), /^Each worker counts for itself[^]*MCP_STORE_URL/)
    assert.deepStrictEqual(given({ ...workers, MCP_WORKERS: "1" }), [])
    assert.deepStrictEqual(given({ ...workers, ...store }), [])
    assert.deepStrictEqual(given({ ...complete, MCP_WORKERS: "auto" }), [])

    const proxied = {
      ...complete,
      ...limits("address"),
      MCP_PUBLIC_URL: "https://mcp.example.com",
      MCP_ALLOWED_ORIGINS: "*"
    }
    assert.match(given(proxied).join(), /^MCP_RATE_LIMITS count by address[^]*MCP_TRUSTED_PROXIES/)
    assert.deepStrictEqual(given({ ...proxied, MCP_TRUSTED_PROXIES: "10.0.0.0/8" }), [])
    assert.deepStrictEqual(given({ ...proxied, ...limits("subject") }), [])
    assert.deepStrictEqual(given({ ...complete, ...limits("address") }), [])
  })

  it("there is one for a store that others can read along with", () => {
    assert.match(aboutStore("redis://store.example"), /^MCP_STORE_URL is not encrypted[^]*rediss:/)
    assert.match(aboutStore("redis://store.example", { MCP_STORE_PASSWORD: "c4n4ry" }), /sees the password/)
    assert.notInclude(aboutStore("redis://store.example", { MCP_STORE_PASSWORD: "c4n4ry" }), "c4n4ry")
    for (const url of ["rediss://store.example", "redis://127.0.0.1:6379", "redis://localhost"]) {
      assert.strictEqual(aboutStore(url), "", url)
    }
  })

  it("REPL-08 there is one for a store in which replicas share nothing but limits", () => {
    const store = { ...complete, MCP_STORE_URL: "rediss://store.example" }
    assert.match(given(store).join(), /^Replicas share nothing but rate limits[^]*MCP_SESSION_KEY/)
    assert.deepStrictEqual(given({ ...store, ...sessionKey }), [])
    assert.deepStrictEqual(given(complete), [])
  })

  it("STK-06 contain no token", () => {
    assert.notInclude(given({ MCP_STATIC_TOKENS: "c4n4ry:c:s:", HOST: "::" }).join("\n"), "c4n4ry")
  })
})

describe("warnings about the process", () => {
  const settings = { gatewayUrl: "http://127.0.0.1:8080/mcp" }

  it("there is one when certificates are not verified", () => {
    assert.include(hostWarnings(settings, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }).join(), "NODE_TLS_REJECT_UNAUTHORIZED")
    assert.deepStrictEqual(hostWarnings(settings, { NODE_TLS_REJECT_UNAUTHORIZED: "1" }), [])
    assert.deepStrictEqual(hostWarnings(settings, {}), [])
  })

  it("there is one for an MCP server that only Spin can find", () => {
    for (const gatewayUrl of ["http://ftl-mcp-gateway.spin.internal/mcp-internal", "http://mcp.spin.internal:80"]) {
      assert.match(hostWarnings({ gatewayUrl }, {}).join(), /MCP_SERVER_URL/)
    }
    assert.deepStrictEqual(hostWarnings({ gatewayUrl: "http://spin.internal.example/mcp" }, {}), [])
  })
})

import { assert, describe, it } from "@effect/vitest"
import { warnings } from "../../src/config/warnings.ts"
import { hostWarnings } from "../../src/node/hostWarnings.ts"
import { complete, settingsOf } from "./resolving.ts"

const long = "x".repeat(32)

const given = (variables: Readonly<Record<string, string>>) => warnings(settingsOf(variables))

const scopes = (required: string, supported: string) =>
  given({ ...complete, MCP_REQUIRED_SCOPES: required, MCP_SCOPES_SUPPORTED: supported })

describe("warnings", () => {
  it("there are none for settings that are wise", () => {
    assert.deepStrictEqual(given(complete), [])
    assert.deepStrictEqual(given({ ...complete, HOST: "0.0.0.0", MCP_PUBLIC_URL: "https://mcp.example.com" }), [])
    assert.deepStrictEqual(given({ MCP_STATIC_TOKENS: `${long}:c:s:` }), [])
  })

  it("each unwise setting has one", () => {
    for (
      const [pattern, variables] of [
        [/disabled/, { AUTH_ENABLED: "false" }],
        [/Provider "authkit": no audience/, { AUTHKIT_DOMAIN: "t.authkit.app" }],
        [/Provider "introspection": no audience/, {
          MCP_PROVIDER_TYPE: "introspection",
          MCP_JWT_ISSUER: "https://issuer.example",
          MCP_INTROSPECTION_URL: "https://issuer.example/i",
          MCP_CLIENT_ID: "c",
          MCP_CLIENT_SECRET: "s"
        }],
        [/1 static token is shorter/, { MCP_STATIC_TOKENS: `${long}:c:s:;${long.slice(1)}:c:s:` }],
        [/2 static tokens are shorter/, { MCP_STATIC_TOKENS: "a:c:s:;b:c:s:" }],
        [/for development/, { MCP_STATIC_TOKENS: `${long}:c:s:`, HOST: "0.0.0.0" }],
        [/for development/, {
          MCP_STATIC_TOKENS: `${long}:c:s:`,
          MCP_PUBLIC_URL: "https://mcp.example.com",
          MCP_ALLOWED_ORIGINS: "*"
        }],
        [/not for whom/, { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" }],
        [/permits to ask keycloak, idp\.lan over http/, {
          ...complete,
          MCP_ALLOW_HTTP: "keycloak, IDP.lan",
          MCP_JWT_JWKS_URI: "http://keycloak:8080/jwks"
        }],
        [/handed on/, { ...complete, MCP_FORWARD_AUTHORIZATION: "true" }],
        [/missing from the supported/, { ...complete, MCP_REQUIRED_SCOPES: "a,b", MCP_SCOPES_SUPPORTED: "a" }],
        [/twice/, { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com/mcp", MCP_ALLOWED_ORIGINS: "*" }],
        [/only from pages of this machine/, { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com" }],
        [/the audience is the issuer itself/, { ...complete, MCP_JWT_AUDIENCE: "https://issuer.example/" }],
        [/without the MCP path, but MCP clients ask for tokens for https:\/\/mcp\.example\.com\/mcp\. /, {
          ...complete,
          HOST: "0.0.0.0",
          MCP_PUBLIC_URL: "https://mcp.example.com",
          MCP_JWT_AUDIENCE: "https://mcp.example.com/"
        }],
        [/looks like the example/, { ...complete, MCP_JWT_ISSUER: "https://your-domain.auth0.com/" }],
        [/looks like the example/, { ...complete, MCP_JWT_AUDIENCE: "your-api-audience" }],
        [/the client id has a blank/, {
          MCP_PROVIDER_TYPE: "introspection",
          MCP_JWT_ISSUER: "https://issuer.example",
          MCP_JWT_AUDIENCE: "a",
          MCP_INTROSPECTION_URL: "https://issuer.example/i",
          MCP_CLIENT_ID: "one two",
          MCP_CLIENT_SECRET: "s"
        }]
      ] as const
    ) {
      const [warning, ...others] = given(variables)
      assert.deepStrictEqual(others, [])
      assert.match(warning ?? "", pattern)
    }
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
    assert.match(says[2] ?? "", /MCP_PUBLIC_URL is an http URL/)
  })

  it("there is none about scopes that are listed as the provider wants to be asked for them", () => {
    assert.deepStrictEqual(scopes("read", "api://app/read"), [])
    assert.deepStrictEqual(scopes("read,write", "api://app/.default offline_access"), [])
    assert.deepStrictEqual(scopes("mcp:read", "https://mcp.example.com/mcp:read openid"), [])
    for (
      const [required, supported] of [["read", "api://app/unread"], ["read", "mcp:read"], [
        "read,write",
        "api://app/read"
      ]] as const
    ) {
      assert.match(scopes(required, supported).join(), /missing from the supported/, supported)
    }
  })

  it("a provider's own required scopes must be listed, too", () => {
    const provider = { issuer: "https://issuer.example", audience: "a", required_scopes: ["read"] }
    const listing = (supported: string) =>
      given({ MCP_PROVIDERS: JSON.stringify([provider]), MCP_SCOPES_SUPPORTED: supported })
    assert.match(listing("write").join(), /missing from the supported/)
    assert.deepStrictEqual(listing("read"), [])
  })

  it("there is none for usual audiences and origins", () => {
    const elsewhere = { ...complete, HOST: "0.0.0.0", MCP_PUBLIC_URL: "https://mcp.example.com" }
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

  it("STK-06 the caller knows best whether this is a development machine", () => {
    const settings = settingsOf({ MCP_STATIC_TOKENS: `${long}:c:s:` })
    assert.deepStrictEqual(warnings(settings, { development: true }), [])
    assert.strictEqual(warnings(settings, { development: false }).length, 1)
  })

  it("scopes that a userinfo answer cannot tell", () => {
    const userinfo = { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" }
    assert.strictEqual(given(userinfo).length, 1)
    assert.match(given({ ...userinfo, MCP_REQUIRED_SCOPES: "a" })[1] ?? "", /every token will be refused/)
  })

  it("STK-06 no token is in them", () => {
    assert.notInclude(given({ MCP_STATIC_TOKENS: "c4n4ry:c:s:", HOST: "::" }).join("\n"), "c4n4ry")
  })
})

describe("warnings about the process", () => {
  const settings = { gatewayUrl: "http://127.0.0.1:8080/mcp" }

  it("certificates that nobody verifies", () => {
    assert.match(
      hostWarnings(settings, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }).join(),
      /certificates are not verified/
    )
    assert.deepStrictEqual(hostWarnings(settings, { NODE_TLS_REJECT_UNAUTHORIZED: "1" }), [])
    assert.deepStrictEqual(hostWarnings(settings, {}), [])
  })

  it("an MCP server that only Spin can find", () => {
    for (const gatewayUrl of ["http://ftl-mcp-gateway.spin.internal/mcp-internal", "http://mcp.spin.internal:80"]) {
      assert.match(hostWarnings({ gatewayUrl }, {}).join(), /known within Spin only/)
    }
    assert.deepStrictEqual(hostWarnings({ gatewayUrl: "http://spin.internal.example/mcp" }, {}), [])
  })
})

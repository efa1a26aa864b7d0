import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { warnings } from "../../src/config/warnings.ts"
import { complete, settingsOf } from "./resolving.ts"

const long = "x".repeat(32)

const given = (variables: Readonly<Record<string, string>>) => warnings(settingsOf(variables))

describe("warnings", () => {
  it.effect("there are none for settings that are wise", () =>
    Effect.sync(() => {
      assert.deepStrictEqual(given(complete), [])
      assert.deepStrictEqual(given({ ...complete, HOST: "0.0.0.0", MCP_PUBLIC_URL: "https://mcp.example.com" }), [])
      assert.deepStrictEqual(given({ MCP_STATIC_TOKENS: `${long}:c:s:` }), [])
    }))

  it.effect("each unwise setting has one", () =>
    Effect.sync(() => {
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
          [/for development/, { MCP_STATIC_TOKENS: `${long}:c:s:`, MCP_PUBLIC_URL: "https://mcp.example.com" }],
          [/not for whom/, { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" }],
          [/permits to ask keycloak, idp\.lan over http/, {
            ...complete,
            MCP_ALLOW_HTTP: "keycloak, IDP.lan",
            MCP_JWT_JWKS_URI: "http://keycloak:8080/jwks"
          }],
          [/handed on/, { ...complete, MCP_FORWARD_AUTHORIZATION: "true" }],
          [/missing from the supported/, { ...complete, MCP_REQUIRED_SCOPES: "a,b", MCP_SCOPES_SUPPORTED: "a" }],
          [/twice/, { ...complete, MCP_PUBLIC_URL: "https://mcp.example.com/mcp" }]
        ] as const
      ) {
        const [warning, ...others] = given(variables)
        assert.deepStrictEqual(others, [])
        assert.match(warning ?? "", pattern)
      }
    }))

  it.effect("plain http has one for each provider, and one for the public URL", () =>
    Effect.sync(() => {
      const says = given({
        MCP_ALLOW_HTTP: "mcp.lan",
        MCP_PUBLIC_URL: "http://mcp.lan:3000",
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
    }))

  it.effect("STK-06 the caller knows best whether this is a development machine", () =>
    Effect.sync(() => {
      const settings = settingsOf({ MCP_STATIC_TOKENS: `${long}:c:s:` })
      assert.deepStrictEqual(warnings(settings, { development: true }), [])
      assert.strictEqual(warnings(settings, { development: false }).length, 1)
    }))

  it.effect("scopes that a userinfo answer cannot tell", () =>
    Effect.sync(() => {
      const userinfo = { MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: "https://issuer.example" }
      assert.strictEqual(given(userinfo).length, 1)
      assert.match(given({ ...userinfo, MCP_REQUIRED_SCOPES: "a" })[1] ?? "", /every token will be refused/)
    }))

  it.effect("STK-06 no token is in them", () =>
    Effect.sync(() => {
      assert.notInclude(given({ MCP_STATIC_TOKENS: "c4n4ry:c:s:", HOST: "::" }).join("\n"), "c4n4ry")
    }))
})

import { assert, describe, it } from "@effect/vitest"
import { complete, onlyProblemOf, problemsOf, settingsOf } from "../resolving.ts"

const oidc = { ...complete, MCP_PROVIDER_TYPE: "oidc" }

const introspection = {
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "a",
  MCP_INTROSPECTION_URL: "https://issuer.example/introspect",
  MCP_CLIENT_ID: "gateway",
  MCP_CLIENT_SECRET: "s3cret"
}

const problem = (variables: Readonly<Record<string, string>>): string =>
  onlyProblemOf({ ...oidc, ...variables }).problem

const audience = (value: string) => problem({ MCP_JWT_AUDIENCE: value })
const issuer = (value: string) => problem({ MCP_JWT_ISSUER: value })

describe("mistakes that are left in values", () => {
  it("reports quotation marks of every kind, around a value or a member of a list", () => {
    for (
      const value of [
        "\"my-api\"",
        "'my-api'",
        "`my-api`",
        "“my-api”",
        "„my-api“",
        "‘my-api’",
        "«my-api»",
        "\"my-api",
        "my-api'"
      ]
    ) {
      assert.strictEqual(audience(value), "begins or ends with a quotation mark", value)
      assert.strictEqual(audience(`other,${value}`), "begins or ends with a quotation mark", value)
    }
    for (
      const [setting, value] of [
        ["MCP_JWT_ISSUER", "\"https://issuer.example\""],
        ["MCP_JWT_JWKS_URI", "'https://issuer.example/jwks'"],
        ["MCP_SERVER_URL", "“http://mcp.internal/mcp”"],
        ["MCP_PUBLIC_URL", "\"https://mcp.example.com\""],
        ["MCP_REQUIRED_SCOPES", "\"mcp:read mcp:write\""],
        ["MCP_SCOPES_SUPPORTED", "“read”"],
        ["MCP_PATH", "\"/mcp\""],
        ["MCP_PROVIDER_HOSTS", "\"issuer.example\""],
        ["MCP_ALLOWED_ORIGINS", "'https://app.example'"],
        ["MCP_TRACE_HEADER", "\"X-Trace\""]
      ] as const
    ) assert.strictEqual(problem({ [setting]: value }), "begins or ends with a quotation mark", setting)
    assert.strictEqual(
      onlyProblemOf({ ...introspection, MCP_CLIENT_ID: "\"gateway\"" }).problem,
      "begins or ends with a quotation mark"
    )
    settingsOf({ ...oidc, MCP_JWT_AUDIENCE: "it's,api://a\"b\"c" })
  })

  it("reports a JSON array in a variable", () => {
    for (const value of ["[\"a\",\"b\"]", "['a']", "[a, b]", "[]", " [ \"a\" ] "]) {
      assert.strictEqual(audience(value), "is a JSON array in a text", value)
    }
    assert.strictEqual(problem({ MCP_REQUIRED_SCOPES: "[\"read\"]" }), "is a JSON array in a text")
    assert.strictEqual(issuer("[\"https://issuer.example\"]"), "is a JSON array where one value is expected")
    assert.strictEqual(
      issuer("{\"issuer\":\"https://issuer.example\"}"),
      "is a JSON object where one value is expected"
    )
    settingsOf({ ...oidc, MCP_JWT_AUDIENCE: "a,b", MCP_PROVIDER_HOSTS: "[::1],issuer.example" })
    settingsOf({}, { jwt_issuer: "https://issuer.example", jwt_audience: ["a", "b"] })
  })

  it("reports spaces between audiences, which only an array may have within one", () => {
    assert.strictEqual(audience("api-one api-two"), "has a blank within an audience")
    assert.strictEqual(audience("a,api-one api-two"), "has a blank within an audience")
    settingsOf({ ...oidc, MCP_JWT_AUDIENCE: " api-one , api-two " })
    settingsOf({}, { jwt_issuer: "https://issuer.example", jwt_audience: ["my api"] })
  })

  it("reports placeholders of shells, templates and documentation", () => {
    for (
      const value of [
        "https://${KEYCLOAK_HOST}/realms/x",
        "https://$KEYCLOAK_HOST/realms/x",
        "https://$(KEYCLOAK_HOST)/realms/x",
        "https://%KEYCLOAK_HOST%/realms/x",
        "https://%DEV_HOST%/realms/x",
        "https://{{ .Values.host }}/realms/x",
        "{{host}}",
        "https://<your-tenant>.authkit.app",
        "<issuer>",
        "#{Issuer}#",
        "${ISSUER:-}",
        "changeme",
        "…"
      ]
    ) {
      assert.strictEqual(issuer(value), "holds a placeholder that nothing has filled in", value)
      assert.strictEqual(audience(value), "holds a placeholder that nothing has filled in", value)
    }
    assert.strictEqual(
      problem({ MCP_SERVER_URL: "http://${MCP_HOST}:8080/mcp" }),
      "holds a placeholder that nothing has filled in"
    )
    // Percent-encoding is not a placeholder.
    settingsOf({
      ...oidc,
      MCP_SERVER_URL: "http+unix://%2Frun%2Fmcp.sock/mcp",
      MCP_JWT_AUDIENCE: "https://a/%C3%A9%C3%A8"
    })
  })

  it("reports parts in braces", () => {
    for (
      const [setting, value] of [
        ["MCP_JWT_ISSUER", "https://{your-domain}.auth0.com/"],
        ["MCP_JWT_JWKS_URI", "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"],
        ["MCP_JWT_AUDIENCE", "api://{client-id}"],
        ["MCP_PUBLIC_URL", "https://{host}"]
      ] as const
    ) assert.match(problem({ [setting]: value }), /^holds a part in braces/, setting)
    // The tenant's placeholder has its own fix: a list of tenants.
    const entra = "https://login.microsoftonline.com/{tenantid}/v2.0"
    assert.match(problem({ MCP_JWT_ISSUER: entra }), /^has a place for the tenant/)
  })

  it("reports invisible characters", () => {
    for (const character of ["\u200b", "\u00ad", "\u2060", "\u202e"]) {
      assert.strictEqual(audience(`my${character}-api`), "contains an invisible character")
    }
    settingsOf({ ...oidc, MCP_JWT_AUDIENCE: "\u00a0my-äpi\ufeff" })
  })

  it("accepts anything in a secret but placeholders and quotation marks", () => {
    for (
      const value of [
        "${CLIENT_SECRET}",
        "$CLIENT_SECRET",
        "$(CLIENT_SECRET)",
        "%SECRET%",
        "{{ secret }}",
        "<secret>",
        "\"s3cret\"",
        "'s3cret'",
        "“s3cret”"
      ]
    ) {
      const [found, ...others] = problemsOf({ ...introspection, MCP_CLIENT_SECRET: value })
      assert.deepStrictEqual([found?.setting, others.length], ["MCP_CLIENT_SECRET", 0], value)
      assert.notInclude(`${found?.problem}${found?.fix}`, "s3cret")
    }
    for (const value of ["a${b}c", "pa$$w0rd", "$a", "x<y>z", "\"quoted", "100%sure%", "{a}", "[\"a\"]"]) {
      settingsOf({ ...introspection, MCP_CLIENT_SECRET: value })
    }
    settingsOf({}, {
      provider_type: "introspection",
      jwt_issuer: "https://issuer.example",
      introspection_url: "https://issuer.example/i",
      client_id: "g",
      client_secret: "\"s3cret\""
    })
    assert.include(onlyProblemOf({ MCP_STATIC_TOKENS: "\"t:c:s:read\"" }).problem, "quotation mark")
  })
})

describe("URLs that are not an issuer", () => {
  it("reports documents, key sets and endpoints of providers", () => {
    for (
      const [value, expected] of [
        ["https://idp.example/realms/x/.well-known/openid-configuration", "is the URL of a discovery document"],
        ["https://idp.example/.well-known/oauth-authorization-server/x", "is the URL of a discovery document"],
        ["https://idp.example/.well-known/jwks.json", "is the URL of a key set"],
        ["tenant.authkit.app/oauth2/jwks", "is the URL of a key set"],
        ["https://idp.example/realms/x/protocol/openid-connect/certs", "is the URL of a key set"],
        ["https://idp.example/oauth2/default/v1/keys", "is the URL of a key set"],
        ["https://login.microsoftonline.com/common/discovery/v2.0/keys", "is the URL of a key set"],
        ["https://idp.example/.well-known/", "is the URL of a well-known document"],
        ["https://idp.example/realms/x/protocol/openid-connect/token", "is the URL of an OAuth endpoint"],
        ["https://idp.example/oauth2/authorize", "is the URL of an OAuth endpoint"],
        ["https://idp.example/oauth/token", "is the URL of an OAuth endpoint"],
        ["https://github.com/login/oauth/authorize", "is the URL of an OAuth endpoint"]
      ] as const
    ) assert.strictEqual(issuer(value), expected, value)
    for (
      const value of [
        "https://idp.example/realms/keys",
        "https://idp.example/oauth2/default",
        "https://token.actions.githubusercontent.com",
        "https://idp.example/application/o/token/",
        "https://idp.example/oauth2",
        "https://idp.example/oidc"
      ]
    ) settingsOf({ ...oidc, MCP_JWT_ISSUER: value })
  })

  it("reports them even where the keys are known", () => {
    const keys = { ...oidc, MCP_JWT_JWKS_URI: "https://idp.example/.well-known/jwks.json" }
    assert.strictEqual(
      onlyProblemOf({ ...keys, MCP_JWT_ISSUER: "https://idp.example/.well-known/openid-configuration" }).setting,
      "MCP_JWT_ISSUER"
    )
    settingsOf({ ...keys, MCP_JWT_ISSUER: "my-issuer" })
  })

  it("reports Entra's URLs for several tenants, and its other names for one", () => {
    const id = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    for (
      const path of [
        "common/v2.0",
        "organizations/v2.0/",
        "consumers/v2.0",
        "contoso.onmicrosoft.com/v2.0",
        id,
        `${id}/v1.0`,
        `${id}/oauth2/v2.0`,
        ""
      ]
    ) {
      assert.match(issuer(`https://login.microsoftonline.com/${path}`), /Entra/, path)
      assert.match(issuer(`login.microsoftonline.com/${path}`), /Entra|absolute/, path)
    }
    settingsOf({ ...oidc, MCP_JWT_ISSUER: `https://login.microsoftonline.com/${id}/v2.0` })
    settingsOf({ ...oidc, MCP_JWT_ISSUER: `https://sts.windows.net/${id}/` })
    settingsOf({ ...oidc, MCP_JWT_ISSUER: "https://login.microsoftonline.com.example/common" })
  })

  it("reports them as an audience", () => {
    assert.include(
      audience("https://idp.example/.well-known/openid-configuration"),
      "a discovery document for an audience"
    )
    assert.include(
      audience("a,https://mcp.example/.well-known/oauth-protected-resource/mcp"),
      "a well-known document"
    )
    settingsOf({ ...oidc, MCP_JWT_AUDIENCE: "https://tenant.auth0.example/userinfo" })
  })
})

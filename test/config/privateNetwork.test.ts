import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { complete, onlyProblemOf, problemsOf, providerOf, settingsOf } from "./resolving.ts"

const inside = { ...complete, MCP_ALLOW_HTTP: "keycloak, mcp.lan" }

const asking = {
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "a"
}

describe("http to named hosts", () => {
  it("is allowed for every URL of a provider, regardless of the scheme of its issuer", () => {
    const allowed = [
      { ...inside, MCP_JWT_ISSUER: "http://keycloak:8080/realms/mcp" },
      { ...inside, MCP_JWT_JWKS_URI: "http://keycloak:8080/realms/mcp/certs" },
      { ...inside, MCP_OAUTH_AUTHORIZE_ENDPOINT: "http://KEYCLOAK/authorize" },
      { ...inside, MCP_OAUTH_TOKEN_ENDPOINT: "http://keycloak/token" },
      {
        ...inside,
        MCP_PROVIDER_TYPE: "userinfo",
        MCP_JWT_AUDIENCE: "",
        MCP_OAUTH_USERINFO_ENDPOINT: "http://keycloak/u"
      },
      { ...inside, ...asking, MCP_CLIENT_AUTH: "none", MCP_INTROSPECTION_URL: "http://keycloak/introspect" }
    ]
    for (const variables of allowed) {
      assert.deepStrictEqual(providerOf(variables).allowHttp, ["keycloak", "mcp.lan"])
      // The same without the permission.
      const { MCP_ALLOW_HTTP: _, ...forbidden } = variables
      assert.strictEqual(onlyProblemOf(forbidden).problem, "is an http URL")
      assert.include(onlyProblemOf(forbidden).fix, "MCP_ALLOW_HTTP")
    }
    assert.isUndefined(providerOf(complete).allowHttp)
  })

  it("is allowed for the public URL, and a wrong public URL is reported once", () => {
    const given = { ...inside, MCP_PUBLIC_URL: "http://mcp.lan:3000", MCP_JWT_AUDIENCE: "auto" }
    const { providers: [provider], publicUrl } = settingsOf(given)
    assert.strictEqual(publicUrl, "http://mcp.lan:3000")
    assert.deepInclude<unknown>(provider, { audience: ["http://mcp.lan:3000/mcp"] })
    for (const MCP_ALLOW_HTTP of ["", "keycloak", "mcp.lan.example"]) {
      assert.strictEqual(onlyProblemOf({ ...given, MCP_ALLOW_HTTP }).setting, "MCP_PUBLIC_URL")
    }
    assert.strictEqual(onlyProblemOf({ ...complete, MCP_JWT_AUDIENCE: "auto" }).setting, "MCP_JWT_AUDIENCE")
  })

  it("is reported once where the list itself is wrong", () => {
    const settings = problemsOf({ ...complete, MCP_ALLOW_HTTP: "http://keycloak" }).map(({ setting }) => setting)
    assert.deepStrictEqual(settings, ["MCP_ALLOW_HTTP"])
    // Values that the name could be mistaken for, and that would allow nothing.
    for (const MCP_ALLOW_HTTP of ["true", "yes", "0", "Off"]) {
      assert.match(onlyProblemOf({ ...complete, MCP_ALLOW_HTTP }).problem, /^says yes or no/)
    }
    settingsOf({ ...complete, MCP_ALLOW_HTTP: "true.lan, on.example" })
    const providers = JSON.stringify([{ issuer: "https://issuer.example", allow_http: "*" }])
    assert.strictEqual(onlyProblemOf({ MCP_PROVIDERS: providers }).setting, "MCP_PROVIDERS[0].allow_http")
  })
})

const given = { ...asking, MCP_INTROSPECTION_URL: "https://issuer.example/i" }

/** Method, client id and secret. */
const authOf = (variables: Readonly<Record<string, string>>) => {
  const provider = providerOf({ ...given, ...variables })
  if (provider.type !== "introspection") throw new Error(provider.type)
  const { clientAuth } = provider
  const shown = "token" in clientAuth
    ? clientAuth.token
    : "clientSecret" in clientAuth
    ? clientAuth.clientSecret
    : undefined
  return [
    clientAuth.method,
    "clientId" in clientAuth ? clientAuth.clientId : undefined,
    shown && Redacted.value(shown)
  ]
}

const settingsThatAreWrong = (variables: Readonly<Record<string, string>>) =>
  problemsOf({ ...given, ...variables }).map(({ setting }) => setting)

describe("authentication at the introspection endpoint", () => {
  it("is HTTP Basic unless said otherwise", () => {
    const both = { MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: "s3cret" }
    assert.deepStrictEqual(authOf(both), ["basic", "c", "s3cret"])
    assert.deepStrictEqual(authOf({ ...both, MCP_CLIENT_AUTH: "basic" }), ["basic", "c", "s3cret"])
    assert.deepStrictEqual(authOf({ ...both, MCP_CLIENT_AUTH: "POST" }), ["post", "c", "s3cret"])
    assert.deepStrictEqual(authOf({ MCP_CLIENT_SECRET: "s3cret", MCP_CLIENT_AUTH: "bearer" }), [
      "bearer",
      undefined,
      "s3cret"
    ])
    assert.deepStrictEqual(authOf({ MCP_CLIENT_AUTH: "none" }), ["none", undefined, undefined])
  })

  it("names all that is missing or useless, by the name that the operator used", () => {
    assert.deepStrictEqual(settingsThatAreWrong({}), ["MCP_CLIENT_ID", "MCP_CLIENT_SECRET"])
    assert.deepStrictEqual(settingsThatAreWrong({ MCP_CLIENT_AUTH: "post" }), ["MCP_CLIENT_ID", "MCP_CLIENT_SECRET"])
    assert.deepStrictEqual(
      settingsThatAreWrong({ MCP_CLIENT_AUTH: "bearer", MCP_CLIENT_ID: "c" }),
      ["MCP_CLIENT_SECRET", "MCP_CLIENT_ID"]
    )
    assert.deepStrictEqual(
      settingsThatAreWrong({ MCP_CLIENT_AUTH: "none", MCP_CLIENT_ID: "c", MCP_CLIENT_SECRET: "s" }),
      ["MCP_CLIENT_ID", "MCP_CLIENT_SECRET"]
    )
    assert.deepStrictEqual(settingsThatAreWrong({ MCP_CLIENT_AUTH: "mtls" }), ["MCP_CLIENT_AUTH"])
  })
})

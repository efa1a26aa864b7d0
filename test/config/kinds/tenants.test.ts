import { assert, describe, it } from "@effect/vitest"
import { authorizationServer } from "../../../src/discovery/authorizationServer.ts"
import { protectedResource } from "../../../src/discovery/protectedResource.ts"
import { onlyProblemOf, settingsOf } from "../resolving.ts"

const entra = {
  MCP_JWT_ISSUER: "https://login.microsoftonline.com/{tenantid}/v2.0",
  MCP_JWT_AUDIENCE: "api://app",
  MCP_SERVER_URL: "http://127.0.0.1:8000/mcp"
}
const one = "11111111-2222-3333-4444-55555555555a"
const two = "11111111-2222-3333-4444-55555555555b"
const discovery = "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"
const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`

const serversOf = (variables: Record<string, string>) =>
  protectedResource(settingsOf({ ...entra, ...variables }), "https://h").authorization_servers

describe("tenants", () => {
  it("replace the issuer's placeholder; UUIDs are compared in lower case", () => {
    const [provider] = settingsOf({ ...entra, MCP_JWT_TENANTS: `${one.toUpperCase()}, ${two}` }).providers
    assert.deepInclude<unknown>(provider, { type: "oidc", issuer: entra.MCP_JWT_ISSUER, tenants: [one, two] })
  })

  it("are required by a template, and useless without one", () => {
    for (const place of ["{tenantid}", "{tenant}", "{tenant_id}", "{TenantId}"]) {
      const problem = onlyProblemOf({ ...entra, MCP_JWT_ISSUER: `https://idp.example/${place}` })
      assert.strictEqual(problem.setting, "MCP_JWT_ISSUER")
      assert.include(problem.fix, "MCP_JWT_TENANTS")
    }
    const useless = onlyProblemOf({ ...entra, MCP_JWT_ISSUER: issuerOf(one), MCP_JWT_TENANTS: two })
    assert.strictEqual(useless.setting, "MCP_JWT_TENANTS")
    assert.include(useless.fix, "{tenantid}")
    const opaque = onlyProblemOf({ ...entra, MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_AUDIENCE: "" })
    assert.strictEqual(opaque.setting, "MCP_JWT_ISSUER")
  })

  it("are accepted under the names that tokens have", () => {
    for (
      const wrong of ["common", "organizations", "Consumers", "*", "a/b", "{tenantid}", "a b", "..", `${one}/v2.0`]
    ) {
      assert.strictEqual(onlyProblemOf({ ...entra, MCP_JWT_TENANTS: wrong }).setting, "MCP_JWT_TENANTS", wrong)
    }
  })

  it("appear in the metadata: each one's issuer, after the common one where there is one", () => {
    assert.deepStrictEqual(serversOf({ MCP_JWT_TENANTS: one }), [issuerOf(one)])
    assert.deepStrictEqual(serversOf({ MCP_JWT_TENANTS: one, MCP_DISCOVERY_URL: discovery }), [issuerOf(one)])
    assert.deepStrictEqual(serversOf({ MCP_JWT_TENANTS: `${one},${two}` }), [issuerOf(one), issuerOf(two)])
    assert.deepStrictEqual(serversOf({ MCP_JWT_TENANTS: `${one},${two}`, MCP_DISCOVERY_URL: discovery }), [
      issuerOf("organizations"),
      issuerOf(one),
      issuerOf(two)
    ])
    const response = authorizationServer(
      settingsOf({ ...entra, MCP_JWT_TENANTS: `${one},${two}` }),
      "openid-configuration"
    )
    assert.deepInclude(response, { _tag: "Fetch", issuer: issuerOf(one) })
    assert.strictEqual(response._tag === "Fetch" && response.source.issuer, issuerOf(one))
  })
})

describe("the location of metadata", () => {
  const keycloak = { ...entra, MCP_JWT_ISSUER: "https://id.example/realms/a" }

  it("can be set for providers that have metadata", () => {
    const url = "https://keycloak.internal/realms/a/.well-known/openid-configuration"
    const [provider] = settingsOf({ ...keycloak, MCP_DISCOVERY_URL: url }).providers
    assert.deepInclude<unknown>(provider, { discoveryUrl: url })
    const problem = onlyProblemOf({ ...keycloak, MCP_DISCOVERY_URL: url, MCP_PROVIDER_HOSTS: "id.example" })
    assert.strictEqual(problem.setting, "MCP_DISCOVERY_URL")
    const plain = { ...keycloak, MCP_DISCOVERY_URL: url.replace("https", "http") }
    assert.strictEqual(onlyProblemOf(plain).setting, "MCP_DISCOVERY_URL")
    assert.lengthOf(settingsOf({ ...plain, MCP_ALLOW_HTTP: "keycloak.internal" }).providers, 1)
  })

  it("supplies the introspection endpoint unless that is configured", () => {
    const client = { MCP_PROVIDER_TYPE: "introspection", MCP_CLIENT_ID: "a", MCP_CLIENT_SECRET: "b".repeat(32) }
    const [provider] = settingsOf({ ...keycloak, ...client }).providers
    assert.deepInclude<unknown>(provider, { type: "introspection", introspectionEndpoint: undefined })
    const url = "https://id.example/introspect"
    const [configured] = settingsOf({ ...keycloak, ...client, MCP_INTROSPECTION_URL: url }).providers
    assert.deepInclude<unknown>(configured, { introspectionEndpoint: url })
    assert.strictEqual(
      onlyProblemOf({ ...keycloak, ...client, MCP_INTROSPECTION_URL: "ftp://x" }).setting,
      "MCP_INTROSPECTION_URL"
    )
  })
})

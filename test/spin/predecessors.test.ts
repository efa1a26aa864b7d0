/** The manifests that predecessors publish, with the changes that "Coming from another gateway" lists. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { readSettings } from "../../src/spin/settings.ts"
import { publicComponents, readManifest, variablesFor } from "./support/manifest.ts"

const own = "mcp-authorizer.wasm"

const settingsOf = (variables: Readonly<Record<string, string>>) =>
  Result.getOrThrow(readSettings({ variables: () => Object.entries(variables) }))

const head = `spin_manifest_version = 2

[application]
name = "mcp-with-auth"
version = "0.1.0"
`

const gatewaySection = (route: string) => `
[[trigger.http]]
route = ${route}
component = "ftl-mcp-gateway"

[component.ftl-mcp-gateway]
source = { registry = "ghcr.io", package = "fastertools:ftl-mcp-gateway", version = "0.0.3" }
allowed_outbound_hosts = ["http://*.spin.internal"]
`

/** The complete example of the FTL MCP Authorizer. */
const mcpAuthorizer = `${head}
[[trigger.http]]
route = "/mcp"
component = "mcp-authorizer"

[component.mcp-authorizer]
source = "target/wasm32-wasip1/release/ftl_mcp_authorizer.wasm"
allowed_outbound_hosts = ["http://*.spin.internal", "https://*"]
key_value_stores = ["default"]

[component.mcp-authorizer.variables]
auth_enabled = "true"
auth_gateway_url = "http://ftl-mcp-gateway.spin.internal/mcp-internal"
auth_provider_type = "authkit"
auth_provider_issuer = "https://your-tenant.authkit.app"
auth_provider_audience = "mcp-api"
${gatewaySection(`"/mcp-internal"`)}`

/** The usage example of the FTL Auth Gateway, in an application with its MCP gateway. */
const authGateway = `${head}
[[trigger.http]]
route = "/mcp"
component = "ftl-auth-gateway"

[component.ftl-auth-gateway]
source = "path/to/ftl_auth_gateway.wasm"
allowed_outbound_hosts = ["http://*.spin.internal", "https://*.authkit.app"]
[component.ftl-auth-gateway.variables]
authkit_issuer = "https://your-domain.authkit.app"
mcp_gateway_url = "http://ftl-mcp-gateway.spin.internal/mcp-internal"
${gatewaySection(`"/mcp-internal"`)}`

/** The usage example of wasmcp-spin-authkit. */
const spinAuthkit = `${head}
[[trigger.http]]
route = "/..."
component = "mcp-server"

[component.mcp-server]
source = { registry = "ghcr.io", package = "fastertools:wasmcp-spin-authkit", version = "0.1.0" }
allowed_outbound_hosts = ["https://*"]

[component.mcp-server.variables]
authkit_issuer = "https://your-company.authkit.app"
authkit_jwks_uri = "https://your-company.authkit.app/oauth2/jwks"

[component.mcp-server.dependencies]
"wasmcp:mcp/handler" = { path = "./handler/target/wasm32-wasip1/release/handler.wasm" }
`

const replaced = (text: string, changes: ReadonlyArray<readonly [from: string, to: string]>): string =>
  changes.reduce((changed, [from, to]) => {
    assert.include(changed, from)
    return changed.replace(from, to)
  }, text)

const everyPath = [`route = "/mcp"`, `route = "/..."`] as const
const privateGateway = [`route = "/mcp-internal"`, "route = { private = true }"] as const

describe("a predecessor's manifest", () => {
  it("leaves its MCP gateway public before the change", () => {
    assert.include(publicComponents(readManifest(mcpAuthorizer)), "ftl-mcp-gateway")
  })

  it("of the FTL MCP Authorizer works with our component on every path, and a private gateway", () => {
    const manifest = readManifest(replaced(mcpAuthorizer, [
      [`"target/wasm32-wasip1/release/ftl_mcp_authorizer.wasm"`, `"${own}"`],
      everyPath,
      privateGateway
    ]))
    assert.deepStrictEqual(publicComponents(manifest), ["mcp-authorizer"])
    const { gatewayUrl, providers } = settingsOf(variablesFor(manifest, "mcp-authorizer"))
    assert.strictEqual(gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
    assert.deepInclude<unknown>(providers[0], { type: "authkit", issuer: "https://your-tenant.authkit.app" })
  })

  it("of the FTL Auth Gateway works with the same changes, the store and its dialect", () => {
    const manifest = readManifest(replaced(authGateway, [
      [`"path/to/ftl_auth_gateway.wasm"`, `"${own}"`],
      everyPath,
      privateGateway,
      [`"https://*.authkit.app"]`, `"https://*.authkit.app"]\nkey_value_stores = ["default"]`],
      [`authkit_issuer`, `mcp_error_style = "unauthorized"\nauthkit_issuer`]
    ]))
    assert.deepStrictEqual(publicComponents(manifest), ["ftl-auth-gateway"])
    assert.deepStrictEqual(manifest.component["ftl-auth-gateway"]?.key_value_stores, ["default"])
    const { errorStyle, gatewayUrl } = settingsOf(variablesFor(manifest, "ftl-auth-gateway"))
    assert.strictEqual(gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
    assert.strictEqual(errorStyle, "unauthorized")
  })

  it("of wasmcp-spin-authkit works with its server as a private component of its own", () => {
    const manifest = readManifest(`${
      replaced(spinAuthkit, [
        [`component = "mcp-server"`, `component = "mcp-authorizer"`],
        ["[component.mcp-server]", "[component.mcp-authorizer]"],
        [`{ registry = "ghcr.io", package = "fastertools:wasmcp-spin-authkit", version = "0.1.0" }`, `"${own}"`],
        [`["https://*"]`, `["https://*", "http://*.spin.internal"]\nkey_value_stores = ["default"]`],
        [
          "[component.mcp-server.variables]\n",
          `[component.mcp-authorizer.variables]\nmcp_server_url = "http://mcp-server.spin.internal/mcp"\n` +
          `mcp_error_style = "unauthorized"\n`
        ]
      ])
    }
[[trigger.http]]
route = { private = true }
component = "mcp-server"

[component.mcp-server]
source = { registry = "ghcr.io", package = "fastertools:wasmcp-spin", version = "0.0.3" }
`)
    assert.deepStrictEqual(publicComponents(manifest), ["mcp-authorizer"])
    assert.property(manifest.component["mcp-server"]?.dependencies, "wasmcp:mcp/handler")
    const { gatewayUrl, providers } = settingsOf(variablesFor(manifest, "mcp-authorizer"))
    assert.strictEqual(gatewayUrl, "http://mcp-server.spin.internal/mcp")
    assert.deepInclude<unknown>(providers[0], { type: "authkit", issuer: "https://your-company.authkit.app" })
  })

  it("of the AuthKit example takes its development settings from lines of .env", () => {
    const manifest = readManifest(readFileSync(new URL("../../src/spin/chained.toml", import.meta.url), "utf8"))
    const lines = `SPIN_VARIABLE_MCP_PROVIDER_TYPE=static
SPIN_VARIABLE_MCP_STATIC_TOKENS="dev-token:dev-client:dev-user:read,write"`
    const given = Object.fromEntries(
      lines.split("\n").map((line) => {
        const [, name = "", value = ""] = /^SPIN_VARIABLE_(\w+)="?([^"]*)"?$/.exec(line) ?? []
        return [name.toLowerCase(), value]
      })
    )
    const { providers } = settingsOf(variablesFor(manifest, "mcp-authorizer", given))
    assert.deepInclude<unknown>(providers[0], { type: "static" })
  })
})

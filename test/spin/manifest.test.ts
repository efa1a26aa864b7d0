/** The manifests, by the rules that Spin publishes for version 2, as far as they use them. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { parse } from "smol-toml"
import { manifestsWith } from "../../src/build/spin/manifests.mjs"
import { settingNames, settings as table } from "../../src/config/settings.ts"
import { readSettings } from "../../src/spin/settings.ts"
import { keysOf, publicComponents, readManifest, usedBy, variablesFor } from "./support/manifest.ts"
import { addTo, newApplication, templateManifest } from "./support/template.ts"

const read = (path: string) => readFileSync(new URL(`../../src/spin/${path}`, import.meta.url), "utf8")

const id = "mcp-authorizer"

const single = readManifest(read("spin.toml"))
const chained = readManifest(read("chained.toml"))

const values = {
  issuer: "https://issuer.example.com",
  "public-url": "https://mcp.example.com",
  "server-url": "http://notes.spin.internal/mcp",
  wasm: "mcp-authorizer.wasm",
  "project-description": "Notes"
}
const created = readManifest(newApplication("notes-guard", values))

/** A manifest before the gateway is added. */
const notes = `spin_manifest_version = 2

[application]
name = "notes"
version = "0.1.0"

[[trigger.http]]
route = { private = true }
component = "notes"

[component.notes]
source = "notes.wasm"
`
const added = readManifest(addTo(notes, "guard", values))

const manifests = [
  ["spin.toml", single, id],
  ["chained.toml", chained, id],
  ["the template for spin new", created, "notes-guard"],
  ["the template for spin add", added, "guard"]
] as const

const secretNames = new Set<string>(settingNames.filter((name) => table[name].secret === true))

// Where the component listens is the host's.
const expected = settingNames.filter((name) => !["HOST", "PORT"].includes(name)).map((name) => name.toLowerCase())

const settingsOf = (variables: Readonly<Record<string, string>>) =>
  Result.getOrThrow(readSettings({ variables: () => Object.entries(variables) }))

describe("the manifests", () => {
  for (const [name, manifest, component] of manifests) {
    const authorizer = manifest.component[component] ?? assert.fail(`no component ${component}`)

    it(`SPIN-MANIFEST-02 MUST declare every variable that they use, and use every one that they declare (${name})`, () => {
      assert.deepStrictEqual(usedBy(authorizer).toSorted(), keysOf(manifest.variables))
    })

    it(`SPIN-MANIFEST-05 MUST declare every setting, since Spin ignores others in silence (${name})`, () => {
      assert.sameMembers(keysOf(manifest.variables).filter((variable) => variable !== "authkit_domain"), expected)
      for (const variable of expected) {
        const isSecret = secretNames.has(variable.toUpperCase())
        assert.strictEqual(manifest.variables[variable]?.secret === true, isSecret, variable)
      }
    })

    it(`SPIN-MANIFEST-04 MUST grant what the gateway needs, and let nothing else be reached from outside (${name})`, () => {
      assert.deepStrictEqual(authorizer.key_value_stores, ["default"])
      assert.includeMembers([...authorizer.allowed_outbound_hosts ?? []], ["http://*.spin.internal", "https://*"])
      assert.deepStrictEqual(publicComponents(manifest), [component])
      assert.deepStrictEqual(manifest.trigger.http.find((entry) => entry.component === component)?.route, "/...")
    })
  }

  it("are written for the settings that there are: npm run readme", () => {
    const declared = settingNames.map((name) => ({ name, isSecret: table[name].secret === true }))
    for (const [path, text] of Object.entries(manifestsWith(declared, read))) assert.strictEqual(text, read(path), path)
  })
})

describe("spin.toml", () => {
  it("SPIN-MANIFEST-01 MUST be a complete application without components of others", () => {
    assert.deepStrictEqual(keysOf(single.component), [id])
    assert.strictEqual(single.component[id]?.source, "../../dist/mcp-authorizer.wasm")
  })

  it("works with the URL of an MCP server and an issuer, and says what is missing without the URL", () => {
    const given = { mcp_server_url: "http://127.0.0.1:8080/mcp", mcp_jwt_issuer: "https://issuer.example.com" }
    const settings = settingsOf(variablesFor(single, id, { ...given, mcp_jwt_audience: "notes" }))
    assert.strictEqual(settings.gatewayUrl, given.mcp_server_url)
    assert.throws(
      () => variablesFor(single, id, { mcp_jwt_issuer: given.mcp_jwt_issuer }),
      /mcp_server_url is required/
    )
  })

  it("forwards what the README tells to set, and ignores a variable that is misspelled", () => {
    const given = {
      mcp_server_url: "http://127.0.0.1:8080/mcp",
      mcp_static_tokens: "t:c:s:",
      mcp_provider_type: "static"
    }
    const trusted = { mcp_trusted_proxies: "10.0.0.0/8" }
    assert.strictEqual(settingsOf(variablesFor(single, id, { ...given, ...trusted })).trustedProxies._tag, "Networks")
    const misspelled = variablesFor(single, id, { ...given, mcp_trusted_proxys: "10.0.0.0/8" })
    assert.strictEqual(settingsOf(misspelled).trustedProxies._tag, "None")
  })
})

describe("chained.toml", () => {
  it("SPIN-MANIFEST-03 MUST amount to a working configuration with nothing set but the AuthKit domain", () => {
    const settings = settingsOf(variablesFor(chained, id, { authkit_domain: "https://your-tenant.authkit.app" }))
    assert.strictEqual(settings.gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
  })
})

describe("the template", () => {
  it("asks only for what it uses, and uses all that it asks for", () => {
    const { add_component, parameters } = templateManifest
    assert.deepStrictEqual(keysOf(parameters), keysOf(values))
    for (const skipped of add_component.skip_parameters) assert.property(parameters, skipped)
    for (const [name, { pattern }] of Object.entries(parameters)) {
      if (pattern !== undefined) assert.match(values[name as keyof typeof values], new RegExp(pattern))
    }
    assert.notMatch("issuer.example.com", new RegExp(parameters["issuer"]?.pattern ?? ""))
  })

  it("puts the gateway in front of a component of the application", () => {
    assert.deepStrictEqual(keysOf(added.component), ["guard", "notes"])
    for (const [manifest, name] of [[created, "notes-guard"], [added, "guard"]] as const) {
      const settings = settingsOf(variablesFor(manifest, name))
      assert.strictEqual(settings.gatewayUrl, "http://notes.spin.internal/mcp")
      assert.deepInclude<unknown>(settings.providers[0], {
        issuer: "https://issuer.example.com",
        audience: ["https://mcp.example.com/mcp"]
      })
    }
  })

  it("keeps the files of Spin out of version control", () => {
    assert.include(read("templates/mcp-authorizer/content/.gitignore").split("\n"), ".spin/")
    assert.include(
      readFileSync(new URL("../../.gitignore", import.meta.url), "utf8").split("\n"),
      ".spin/"
    )
  })

  it("is TOML", () => {
    assert.strictEqual(templateManifest.id, id)
    assert.doesNotThrow(() => parse(read("templates/mcp-authorizer/metadata/spin-template.toml")))
  })
})

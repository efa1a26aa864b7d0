/** The manifest, by the rules that Spin publishes for version 2, as far as it uses them. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parse } from "smol-toml"
import { resolveSources } from "../../src/config/resolve.ts"
import { settingNames, settings as table } from "../../src/config/settings.ts"

interface Component {
  readonly source: string | { readonly registry: string; readonly package: string; readonly version: string }
  readonly variables?: Readonly<Record<string, string>>
  readonly allowed_outbound_hosts?: ReadonlyArray<string>
  readonly key_value_stores?: ReadonlyArray<string>
  readonly build?: { readonly command: string; readonly workdir?: string }
}

interface Manifest {
  readonly spin_manifest_version: number
  readonly application: { readonly name: string; readonly version: string }
  readonly variables: Readonly<
    Record<string, { readonly default?: string; readonly required?: boolean; readonly secret?: boolean }>
  >
  readonly trigger: {
    readonly http: ReadonlyArray<{ readonly route: string | { readonly private: true }; readonly component: string }>
  }
  readonly component: Readonly<Record<string, Component>>
}

// The shape is what these tests are about: what differs from it fails in them.
const manifest = parse(
  readFileSync(new URL("../../src/spin/spin.toml", import.meta.url), "utf8")
) as unknown as Manifest

const authorizer = manifest.component["mcp-authorizer"] ?? assert.fail("no component mcp-authorizer")

const secretNames = new Set<string>(settingNames.filter((name) => table[name].secret === true))

const keysOf = (value: object): ReadonlyArray<string> => Object.keys(value).toSorted()

// Kebab-case identifiers of components, snake-case names of variables.
const componentId = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/
const variableName = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/

describe("spin.toml", () => {
  it("SPIN-MANIFEST-01 MUST have only members that a version 2 manifest knows", () => {
    assert.strictEqual(manifest.spin_manifest_version, 2)
    assert.deepStrictEqual(keysOf(manifest), [
      "application",
      "component",
      "spin_manifest_version",
      "trigger",
      "variables"
    ])
    assert.deepStrictEqual(keysOf(manifest.application), ["name", "version"])
    assert.deepStrictEqual(keysOf(manifest.trigger), ["http"])
    const known = ["allowed_outbound_hosts", "build", "key_value_stores", "source", "variables"]
    for (const [id, component] of Object.entries(manifest.component)) {
      assert.match(id, componentId)
      for (const member of keysOf(component)) assert.include(known, member)
    }
    for (const { component, route } of manifest.trigger.http) {
      assert.property(manifest.component, component)
      if (typeof route === "string") assert.match(route, /^\//)
      else assert.deepStrictEqual(route, { private: true })
    }
    for (const host of authorizer.allowed_outbound_hosts ?? []) {
      assert.match(host, /^https?:\/\/[a-z0-9*.-]+(:[0-9*]+)?$/)
    }
  })

  it("SPIN-MANIFEST-02 MUST declare every variable that it uses, and use every one that it declares", () => {
    const used = Object.values(authorizer.variables ?? {}).flatMap((template) =>
      [...template.matchAll(/\{\{ ([a-z0-9_]+) \}\}/g)].map(([, name]) => name ?? "")
    )
    assert.deepStrictEqual(used.toSorted(), keysOf(manifest.variables))
    for (const [name, declared] of Object.entries(manifest.variables)) {
      assert.match(name, variableName)
      assert.isTrue(declared.default !== undefined || declared.required === true, name)
    }
    assert.isTrue(manifest.variables["mcp_static_tokens"]?.secret)
  })

  it("SPIN-MANIFEST-05 MUST declare every setting, since Spin ignores others in silence", () => {
    // Where the component listens is the host's.
    const expected = settingNames.filter((name) => !["HOST", "PORT"].includes(name)).map((name) => name.toLowerCase())
    assert.deepStrictEqual(keysOf(manifest.variables), ["authkit_domain", ...expected].toSorted())
    for (const name of expected) {
      const isSecret = secretNames.has(name.toUpperCase())
      assert.strictEqual(manifest.variables[name]?.secret === true, isSecret, name)
    }
  })

  it("SPIN-MANIFEST-03 MUST amount to a working configuration with nothing set but the AuthKit domain", () => {
    const variables = Object.fromEntries(
      Object.entries(authorizer.variables ?? {}).map(([name, template]) => [
        name,
        template.replaceAll(/\{\{ ([a-z0-9_]+) \}\}/g, (_, variable: string) =>
          variable === "authkit_domain"
            ? "https://your-tenant.authkit.app"
            : manifest.variables[variable]?.default ?? assert.fail(variable))
      ])
    )
    const settings = resolveSources({ variables })
    assert.strictEqual(settings._tag, "Success")
  })

  it("SPIN-MANIFEST-04 MUST grant what the gateway needs, and keep the MCP server behind it private", () => {
    assert.deepStrictEqual(authorizer.key_value_stores, ["default"])
    assert.deepStrictEqual(authorizer.allowed_outbound_hosts, ["http://*.spin.internal", "https://*"])
    assert.deepStrictEqual(
      manifest.trigger.http.filter(({ route }) => typeof route === "string").map(({ component }) => component),
      ["mcp-authorizer"]
    )
  })
})

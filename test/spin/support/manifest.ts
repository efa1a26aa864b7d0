/** Manifests by the rules that Spin publishes for version 2, as far as the ones here use them. */
import { assert } from "@effect/vitest"
import { parse } from "smol-toml"
import { isAllowed } from "./outboundHosts.mjs"

export interface Component {
  readonly source:
    | string
    | { readonly registry: string; readonly package: string; readonly version: string }
    | { readonly url: string; readonly digest: string }
  readonly variables?: Readonly<Record<string, string>>
  readonly allowed_outbound_hosts?: ReadonlyArray<string>
  readonly key_value_stores?: ReadonlyArray<string>
  readonly dependencies?: Readonly<Record<string, unknown>>
  readonly build?: { readonly command: string; readonly workdir?: string }
}

export interface Manifest {
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

// Kebab-case identifiers of components, snake-case names of variables.
const componentId = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/
const variableName = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/
const template = /\{\{ ([a-z0-9_]+) \}\}/g

const tables = ["application", "component", "spin_manifest_version", "trigger", "variables"]
const members = ["allowed_outbound_hosts", "build", "dependencies", "key_value_stores", "source", "variables"]

export const keysOf = (value: object): ReadonlyArray<string> => Object.keys(value).toSorted()

/** The variables of the application that the values of a component refer to. */
export const usedBy = ({ variables = {} }: Component): ReadonlyArray<string> =>
  Object.values(variables).flatMap((value) => [...value.matchAll(template)].map(([, name]) => name ?? ""))

const checkSource = ({ source }: Component) => {
  if (typeof source === "string") return assert.match(source, /\.wasm$/)
  if ("url" in source) return assert.match(source.digest, /^sha256:[0-9a-f]{64}$/)
  assert.match(source.package, /^[a-z0-9-]+:[a-z0-9-]+$/)
}

/** Reads a manifest, which must have only what a manifest of version 2 can have, and no component that nothing reaches. */
export const readManifest = (text: string): Manifest => {
  // The rest checks the shape: what differs from it fails there.
  const manifest = parse(text) as unknown as Manifest
  assert.strictEqual(manifest.spin_manifest_version, 2)
  for (const name of keysOf(manifest)) assert.include(tables, name)
  for (const name of keysOf(manifest.application)) assert.include(["authors", "description", "name", "version"], name)
  assert.deepStrictEqual(keysOf(manifest.trigger), ["http"])
  for (const [name, declared] of Object.entries(manifest.variables ?? {})) {
    assert.match(name, variableName)
    assert.isTrue(declared.default !== undefined || declared.required === true, name)
  }
  for (const [id, component] of Object.entries(manifest.component)) {
    assert.match(id, componentId)
    for (const member of keysOf(component)) assert.include(members, member)
    checkSource(component)
    for (const name of keysOf(component.variables ?? {})) assert.match(name, variableName)
    for (const name of usedBy(component)) assert.property(manifest.variables, name)
    // Throws for what is not an entry.
    isAllowed(component.allowed_outbound_hosts ?? [], "http", "host.example")
  }
  for (const { component, route } of manifest.trigger.http) {
    assert.property(manifest.component, component)
    if (typeof route === "string") assert.match(route, /^\//)
    else assert.deepStrictEqual(route, { private: true })
  }
  assert.deepStrictEqual(manifest.trigger.http.map(({ component }) => component).toSorted(), keysOf(manifest.component))
  return manifest
}

/**
 * The variables that a component gets, as Spin finds them: those that its section declares, with what the operator has set
 * for the application's variables. What is not declared is ignored.
 */
export const variablesFor = (
  manifest: Manifest,
  id: string,
  given: Readonly<Record<string, string>> = {}
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(manifest.component[id]?.variables ?? {}).map(([name, value]) => [
      name,
      value.replaceAll(template, (_, variable: string) =>
        given[variable] ?? manifest.variables[variable]?.default ?? assert.fail(`${variable} is required`))
    ])
  )

/** The components that requests from outside reach. */
export const publicComponents = ({ trigger }: Manifest): ReadonlyArray<string> =>
  trigger.http.filter(({ route }) => typeof route === "string").map(({ component }) => component)

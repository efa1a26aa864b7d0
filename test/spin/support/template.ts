/** Renders the template as `spin new` and `spin add` do, as far as it uses their language. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parse } from "smol-toml"

const directory = new URL("../../../src/spin/templates/mcp-authorizer/", import.meta.url)

const read = (path: string) => readFileSync(new URL(path, directory), "utf8")

interface Parameter {
  readonly type: "string"
  readonly prompt: string
  readonly default?: string
  readonly pattern?: string
}

interface Template {
  readonly manifest_version: "1"
  readonly id: string
  readonly description: string
  readonly tags: ReadonlyArray<string>
  readonly add_component: {
    readonly skip_files: ReadonlyArray<string>
    readonly skip_parameters: ReadonlyArray<string>
    readonly snippets: Readonly<Record<"component" | "variables", string>>
  }
  readonly parameters: Readonly<Record<string, Parameter>>
}

const known = ["add_component", "description", "id", "manifest_version", "parameters", "tags"]

/** The description of the template. Spin rejects one that has other members. */
export const templateManifest: Template = (() => {
  // The shape is what the tests are about: what differs from it fails in them.
  const template = parse(read("metadata/spin-template.toml")) as unknown as Template
  assert.deepStrictEqual(Object.keys(template).toSorted(), known)
  assert.strictEqual(template.manifest_version, "1")
  assert.deepStrictEqual(Object.keys(template.add_component).toSorted(), ["skip_files", "skip_parameters", "snippets"])
  for (const parameter of Object.values(template.parameters)) {
    for (const name of Object.keys(parameter)) assert.include(["default", "pattern", "prompt", "type"], name)
  }
  return template
})()

const kebabCase = (text: string) => text.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase()

const part = /\{% raw %\}([^]*?)\{% endraw %\}|\{\{ ?([a-z-]+)(?: \| (kebab_case))? ?\}\}/g

const render = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(part, (_, raw?: string, name = "", filter?: string) => {
    if (raw !== undefined) return raw
    const value = values[name] ?? assert.fail(`the template uses ${name}, which has no value`)
    return filter === undefined ? value : kebabCase(value)
  })

const special = (name: string) => ({ "project-name": name, authors: "An Author <author@example.com>" })

/** The manifest that `spin new` writes. */
export const newApplication = (name: string, values: Readonly<Record<string, string>>): string =>
  render(read("content/spin.toml"), { ...values, ...special(name) })

/** A manifest after `spin add`: the component at its end, the variables in their table. */
export const addTo = (manifest: string, name: string, values: Readonly<Record<string, string>>): string => {
  const { component, variables } = templateManifest.add_component.snippets
  const snippet = (path: string) => render(read(`metadata/snippets/${path}`), { ...values, ...special(name) })
  return `${manifest.trimEnd()}\n\n${snippet(component)}\n[variables]\n${snippet(variables)}`
}

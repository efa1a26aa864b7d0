/**
 * The manifests for Spin, which declare every setting: Spin silently ignores a variable that a manifest does not
 * declare.
 */
import { readFileSync, writeFileSync } from "node:fs"

const template = "templates/mcp-authorizer"
const snippets = `${template}/metadata/snippets`

/** The defaults of variables that are not empty, or `undefined` for one that must be set, by file. */
const defaults = {
  "spin.toml": { mcp_server_url: undefined },
  "chained.toml": { mcp_server_url: "http://ftl-mcp-gateway.spin.internal/mcp-internal" },
  [template]: {
    mcp_server_url: "{{server-url}}",
    mcp_public_url: "{{public-url}}",
    mcp_jwt_issuer: "{{issuer}}",
    mcp_jwt_audience: "auto"
  }
}

/** Puts these lines in place of those from a head to the next empty line. */
const replaceSection = (text, head, lines) =>
  `${text.trimEnd()}\n`.replace(
    new RegExp(`^${head.replaceAll(/[[\]{}|]/g, "\\$&")}\n[^]*?(?:\n(?=\n)|$(?![^]))`, "m"),
    () => `${head}\n${lines.join("\n")}\n`
  )

/** The lines that declare variables, with their defaults. */
const declared = (all, given) =>
  all.map(({ isSecret, name }) => {
    const value = name in given ? given[name] : ""
    const start = value === undefined ? "required = true" : `default = ${JSON.stringify(value)}`
    return `${name} = { ${start}${isSecret ? ", secret = true" : ""} }`
  })

/** The lines that give a component its variables. */
const used = (all) => all.map(({ name }) => `${name} = "{{ ${name} }}"`)

/** `spin new` fills in everything else that is in braces. */
const raw = (lines) => lines.map((line) => `{% raw %}${line}{% endraw %}`)

const own = "[component.{{project-name | kebab_case}}.variables]"

/**
 * Returns the manifests of `src/spin` by their paths in it, each with all variables.
 *
 * @param settings the names of the settings, in the order of the documentation, and whether each is secret
 * @param read reads a file of `src/spin`
 */
export const manifestsWith = (settings, read) => {
  // Where the component listens is the host's.
  const variables = settings.filter(({ name }) => !["HOST", "PORT"].includes(name))
    .map(({ isSecret, name }) => ({ name: name.toLowerCase(), isSecret }))
  const withAlias = [{ name: "authkit_domain", isSecret: false }, ...variables]

  const whole = Object.fromEntries(["spin.toml", "chained.toml"].map((path) => [
    path,
    replaceSection(
      replaceSection(read(path), "[variables]", declared(withAlias, defaults[path])),
      "[component.mcp-authorizer.variables]",
      used(withAlias)
    )
  ]))
  const content = `${template}/content/spin.toml`
  const component = `${snippets}/component.txt`
  const ofTemplate = declared(variables, defaults[template])
  return {
    ...whole,
    [content]: replaceSection(replaceSection(read(content), "[variables]", ofTemplate), own, raw(used(variables))),
    [component]: replaceSection(read(component), own, raw(used(variables))),
    [`${snippets}/variables.txt`]: `${ofTemplate.join("\n")}\n`
  }
}

const directory = new URL("../../spin/", import.meta.url)

const read = (path) => readFileSync(new URL(path, directory), "utf8")

/** Writes the manifests anew. */
export const writeManifests = (settings) => {
  for (const [path, text] of Object.entries(manifestsWith(settings, read))) writeFileSync(new URL(path, directory), text)
}

// The catalogue of requirements: what each id in a title means, where it is demanded, and which files test it.
//
// Requirements of the published suites are read from their code in src/testing, all others from requirements.json.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

// `UTF-8` and `UTF-16` look like ids.
const id = /(?!UTF-)[A-Z]{2,}(?:-[A-Z]+)*-\d{1,2}(?!\d)/

const filesOf = (folder, pattern) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => pattern.test(path) && !/\/(?:node_modules|dist|catalogue)\//.test(path))
    .toSorted()

const withoutComments = (text) => text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, "")

const sources = (folder, pattern) =>
  filesOf(folder, pattern).map((path) => ({ path, text: withoutComments(readFileSync(join(root, path), "utf8")) }))

const suiteFamilies = {
  JWT: "Suite for verifiers of JWTs (`TokenVerifierTest`)",
  OPAQUE: "Suite for verifiers of opaque tokens (`TokenVerifierTest`)",
  KEYS: "Suite for key caches (`JwksCacheTest`)",
  CLIENT: "Suite for clients of the MCP server (`GatewayClientTest`)",
  APP: "Suite for the whole gateway (`HttpAppTest`)"
}

const familyOf = (name) => name.slice(0, name.lastIndexOf("-"))

// The id of a requirement that is made once for each algorithm ends with the algorithm.
const definition = /\bid:\s*["`]([A-Z-]+-\d+)(?:-\$\{\w+\})?["`],\s*title:\s*("(?:[^"\\]|\\.)*"|`[^`]*`),\s*source:\s*("(?:[^"\\]|\\.)*")/g

const unquoted = (literal) =>
  literal.startsWith("`") ? literal.slice(1, -1).replace(/\$\{(\w+)\}/g, "<$1>") : JSON.parse(literal)

/** The requirements of the published suites, by what is written in their code. */
export const suiteRequirements = () =>
  sources("src/testing", /\.ts$/).flatMap(({ path, text }) =>
    [...text.matchAll(definition)].map(([, name, title, source]) => ({
      id: name,
      source: unquoted(source),
      text: unquoted(title),
      files: [path]
    }))
  )

const numberOf = (requirement) => Number(requirement.id.slice(requirement.id.lastIndexOf("-") + 1))

const listed = () => JSON.parse(readFileSync(new URL("requirements.json", import.meta.url), "utf8"))

/** Every family with its requirements, each with the files that test it. */
export const catalogue = () => {
  const titles = sources("test", /\.(?:test|suite)\.ts$/)
  const own = listed().map(({ about, family, requirements }) => ({
    family,
    about,
    requirements: requirements.map((requirement) => {
      const named = new RegExp(`(?<![\\w-])${requirement.id}(?!\\d)`)
      return { ...requirement, files: titles.filter(({ text }) => named.test(text)).map(({ path }) => path) }
    })
  }))
  const published = suiteRequirements()
  const suites = Object.entries(suiteFamilies).map(([family, about]) => ({
    family,
    about,
    requirements: published.filter((requirement) => familyOf(requirement.id) === family)
      .toSorted((one, other) => numberOf(one) - numberOf(other))
  }))
  return [...own, ...suites]
}

/**
 * The ids that the files of `test/` and `src/` use, with the files: those that begin a title, and, anywhere in the code,
 * those of a family that the catalogue knows.
 */
export const usedIds = () => {
  const families = new Set([...listed().map(({ family }) => family), ...Object.keys(suiteFamilies)])
  const used = new Map()
  const note = (name, path) => used.set(name, [...(used.get(name) ?? []), path])
  for (const { path, text } of [...sources("test", /\.(?:ts|mjs|json)$/), ...sources("src", /\.(?:ts|mjs)$/)]) {
    for (const [, name] of text.matchAll(new RegExp(`["\`](${id.source})(?=[ ,:])`, "g"))) note(name, path)
    for (const [name] of text.matchAll(new RegExp(`(?<![\\w-])${id.source}`, "g"))) {
      if (families.has(familyOf(name))) note(name, path)
    }
  }
  return used
}

const shortened = (path) => path.replace(/^test\//, "").replace(/\.ts$/, "").replace(/\.test$/, "")

const cell = (text) => text.replaceAll("|", "\\|")

/** The catalogue as Markdown, one table for each family. */
export const catalogueReference = () =>
  catalogue().map(({ about, family, requirements }) =>
    [
      `## ${family}: ${about.replaceAll("`", "")}`,
      "",
      "| Id | Requirement | Source | Tested in |",
      "| --- | --- | --- | --- |",
      ...requirements.map(({ files, id: name, source, text }) =>
        `| ${name} | ${cell(text)} | ${cell(source)} | ${files.map((path) => `\`${shortened(path)}\``).join(", ")} |`
      )
    ].join("\n")
  ).join("\n\n")

import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { metricReference } from "../src/admin/metricReference.ts"
import { auditReference } from "../src/audit/AuditEntry.ts"
import { wordProblem } from "../src/build/lint/plugin.mjs"
import { logReference } from "../src/config/logReference.ts"
import { providerReference, serverReference, settingsReference } from "../src/config/reference.ts"
import { findingsReference } from "../src/doctor/reference.ts"
import { policyReference } from "../src/keys/cryptoPolicy.ts"
import { telemetryReference } from "../src/node/telemetry/variables.ts"
import { version } from "../src/version.ts"
import { root } from "./node/support/builtProgram.ts"
import { readmes } from "./support/readmes.ts"

const read = (path: string): string => readFileSync(join(root, path), "utf8")

const manifest: { version: string; scripts: Record<string, string> } = JSON.parse(read("package.json"))

const frontPage = "README.md"

/** The READMEs, and what the host of the repository shows to contributors. */
const pages = [
  ...readmes(),
  ...readdirSync(join(root, ".github")).filter((name) => name.endsWith(".md")).map((name) => join(".github", name))
]

const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, "").replace(/`[^`\n]*`/g, "code")

/** The anchors that a page has for its headings, by GitHub's rules. */
const anchorsOf = (path: string): ReadonlySet<string> => {
  const headings = read(path).replace(/^```[^]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm)
  return new Set(
    Array.from(
      headings,
      ([, title = ""]) => title.toLowerCase().replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-")
    )
  )
}

interface Link {
  /** From the root of the project. */
  readonly path: string
  readonly anchor: string | undefined
}

const linksOf = (page: string): ReadonlyArray<Link> =>
  [...withoutCode(read(page)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, path = "", anchor]) => ({
    path: path === "" ? page : normalize(join(dirname(page), path)),
    anchor
  }))

const brokenLinks = (page: string): ReadonlyArray<string> =>
  linksOf(page).flatMap(({ anchor, path }) => {
    if (!existsSync(join(root, path))) return [`${path} is missing`]
    return anchor === undefined || anchorsOf(path).has(anchor) ? [] : [`${path} has no #${anchor}`]
  })

describe("the front page", () => {
  it("has at most 8,192 bytes", () => {
    assert.isAtMost(statSync(join(root, frontPage)).size, 8192)
  })

  it("leads to every other README, from link to link", () => {
    const reached = new Set([frontPage])
    for (const page of reached) {
      for (const { path } of linksOf(page)) if (path.endsWith("README.md")) reached.add(path)
    }
    assert.sameMembers([...reached], [...readmes()])
  })

  it("has no link that is broken in the npm package", () => {
    const packing = execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { cwd: root, encoding: "utf8" })
    const [{ files }] = JSON.parse(packing)
    const packed = new Set(files.map((file: { path: string }) => file.path))
    for (const { path } of linksOf(frontPage)) assert.isTrue(packed.has(path), path)
  })

  it("names the command that the continuous integration runs", () => {
    const command = "npm ci && npm run check && npm test"
    assert.include(read(frontPage).split("\n"), command)
    assert.match(read(".ci/run"), new RegExp(`^${command} `, "m"))
    assert.match(read(".github/workflows/ci.yml"), /- run: \.ci\/run\n/)
  })
})

describe("the READMEs and the pages for contributors", () => {
  it("have the settings and the fields of a provider as the code has them", () => {
    assert.include(read("src/config/README.md"), `\n${settingsReference()}\n\n`)
    assert.include(read("src/config/README.md"), `\n${providerReference()}\n\n`)
    assert.include(read("src/config/README.md"), `\n${serverReference()}\n\n`)
  })

  it("have the crypto policy as the code has it", () => {
    assert.include(read("src/keys/README.md"), `\n${policyReference()}\n\n`)
  })

  it("have the fields of log lines as the code has them", () => {
    assert.include(read("src/node/README.md"), `\n${logReference()}\n\n`)
  })

  it("have a sample of every log line with a message of its own", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => read(join("src", name)))
    const messages = sources.flatMap((source) =>
      [...source.matchAll(/^(?! \*).*Effect\.log(?:Info|Warning|Error)\(\s*["`]([^"`$\\]{4,}?)(?:["`$\\]|[:(.] )/gm)]
        .map(([, text]) => text)
    )
    assert.isAbove(messages.length, 20)
    const samples = read("src/node/README.md").replaceAll("\\\"", "\"")
    for (const message of messages) assert.include(samples, `"message":"${message}`)
  })

  it("have every finding of the doctor", () => {
    assert.include(read("src/doctor/README.md"), `\n${findingsReference()}\n`)
  })

  it("have every member of an audit entry, in the order of a line", () => {
    assert.include(read("src/audit/README.md"), `\n${auditReference()}\n\n`)
  })

  it("the reference of metrics is that of the table", () => {
    assert.include(read("src/metrics/README.md"), `\n${metricReference()}\n\n`)
  })

  it("have the table of OpenTelemetry's variables", () => {
    assert.include(read("src/node/telemetry/README.md"), `\n${telemetryReference()}\n\n`)
  })

  it.each(pages)("%s has links only to files and headings that exist", (page) => {
    assert.deepStrictEqual(brokenLinks(page), [])
  })

  it.each(pages)("%s has the field's words", (page) => {
    const sentences = withoutCode(read(page)).split(/(?<=[.:;|])\s/)
    assert.deepStrictEqual(sentences.flatMap((sentence) => wordProblem(sentence) ?? []), [])
  })

  it.each(pages)("%s names only scripts that exist", (page) => {
    for (const [, name = ""] of read(page).matchAll(/npm run ([a-z:]+)/g)) assert.property(manifest.scripts, name)
  })

  it.each(pages)("%s names only files that exist", (page) => {
    const places = [root, join(root, "src"), join(root, dirname(page))]
    const named = [...read(page).matchAll(/`([a-zA-Z][\w-]*(?:\/[\w.-]+)+\.(?:ts|mjs|json|toml))`/g)]
    for (const [, path = ""] of named) {
      assert.isTrue(places.some((place) => existsSync(join(place, path))), path)
    }
  })

  it("are found, and so are scripts, links and files in them", () => {
    const text = pages.map(read).join("\n")
    assert.isAbove(pages.length, 15)
    assert.isAbove([...text.matchAll(/npm run ([a-z:]+)/g)].length, 10)
    assert.isAbove(pages.flatMap(linksOf).length, 50)
    assert.isAbove([...text.matchAll(/`test\/examples\/\w+\.ts`/g)].length, 5)
  })
})

describe("version", () => {
  it("is the one of the package", () => {
    assert.strictEqual(version, manifest.version)
  })
})

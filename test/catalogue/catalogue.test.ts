import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import * as GatewayClientTest from "../../src/testing/GatewayClientTest.ts"
import * as HttpAppTest from "../../src/testing/HttpAppTest.ts"
import * as JwksCacheTest from "../../src/testing/JwksCacheTest.ts"
import * as TokenVerifierTest from "../../src/testing/TokenVerifierTest.ts"
import { catalogue, catalogueReference, suiteRequirements, usedIds } from "./catalogue.mjs"

const requirements = catalogue().flatMap((family) => family.requirements)

/** The rows of the tables without their last column: a new test of a known requirement need not show at once. */
const rowsOf = (page: string): ReadonlyArray<string> =>
  page.split("\n").filter((line) => /^\| [A-Z]+(?:-[A-Z]+)*-\d+ \|/.test(line))
    .map((line) => line.slice(0, line.lastIndexOf(" | ", line.length - 3)))

describe("the catalogue of requirements", () => {
  it("has every id that a title or a defect names (add the missing ones to test/catalogue/requirements.json)", () => {
    const known = new Set(requirements.map(({ id }) => id))
    const unknown = [...usedIds()].filter(([id]) => !known.has(id))
    assert.deepStrictEqual(unknown, [])
    assert.isAbove(usedIds().size, 400)
  })

  it("has no requirement without a test", () => {
    assert.deepStrictEqual(requirements.filter(({ files }) => files.length === 0).map(({ id }) => id), [])
  })

  it("has every id once, in its family, with one sentence and a source", () => {
    assert.strictEqual(new Set(requirements.map(({ id }) => id)).size, requirements.length)
    for (const { family, requirements } of catalogue()) {
      for (const { id, source, text } of requirements) {
        assert.match(id, new RegExp(`^${family}-\\d+$`))
        assert.isNotEmpty(source, id)
        assert.match(text, /^(?:MUST|SHOULD|MAY) |^[A-Z0-9`].*\.$/, id)
      }
    }
  })

  it("reads the requirements of the suites as the suites have them", () => {
    const published = [
      ...TokenVerifierTest.requirements(),
      ...TokenVerifierTest.requirementsOpaque(),
      ...JwksCacheTest.requirements(JwksCache.layer),
      ...GatewayClientTest.requirements,
      ...HttpAppTest.requirements
    ]
    const read = new Map(suiteRequirements().map((requirement) => [requirement.id, requirement]))
    for (const { id, source, title } of published) {
      const [, name = id, variant] = /^([A-Z]+-\d+)(?:-(.+))?$/.exec(id) ?? []
      assert.strictEqual(read.get(name)?.source, source, id)
      if (variant === undefined) assert.strictEqual(read.get(name)?.text, title, id)
    }
    assert.isAbove(published.length, 150)
  })

  it("is the one of test/catalogue/README.md (write it anew with npm run readme)", () => {
    const page = readFileSync(new URL("README.md", import.meta.url), "utf8")
    const rows = rowsOf(page)
    assert.deepStrictEqual(rows, rowsOf(catalogueReference()))
    assert.strictEqual(rows.length, requirements.length)
  })
})

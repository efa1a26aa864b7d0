import { assert, describe, it } from "@effect/vitest"
import { couldUseTemplate } from "../../src/rules/decide.ts"
import { Glob } from "../../src/rules/Glob.ts"
import type { Policy, Rule } from "../../src/rules/Policy.ts"
import { ScopeHierarchy } from "../../src/rules/ScopeHierarchy.ts"
import { coverOf } from "../../src/rules/template.ts"

const cover = (template: string, ...patterns: ReadonlyArray<string>) =>
  coverOf(patterns.map((pattern) => new Glob(pattern)), template)

const template = "file:///notes/{id}.md"

const rule = (index: number, pattern: string, when?: "true" | "false"): Rule => ({
  index,
  methods: undefined,
  tools: undefined,
  prompts: undefined,
  resources: [new Glob(pattern)],
  anyone: false,
  scopes: [],
  when: when === undefined ? undefined : { text: when, needsArguments: false, test: () => when }
})

const caller = {
  subject: "u",
  clientId: undefined,
  issuer: "https://issuer.example.com",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "p",
  expiresAt: undefined,
  claims: {}
}

const usable = (otherwise: Policy["otherwise"], ...rules: ReadonlyArray<Rule>) =>
  couldUseTemplate({ rules, otherwise, implies: ScopeHierarchy.none }, template, caller, { server: "", now: 0 })

describe("resource templates", () => {
  it("LST-09 are covered by patterns that match with any text in place of an expression", () => {
    assert.strictEqual(cover(template, "*"), "All")
    assert.strictEqual(cover(template, "file:///notes/*"), "All")
    assert.strictEqual(cover(template, "file:///notes/*.md"), "All")
    assert.strictEqual(cover("file:///a", "file:///a"), "All")
    assert.strictEqual(cover("{+path}", "x", "*"), "All")
  })

  it("LST-09 share some resources with patterns that fit one of them", () => {
    assert.strictEqual(cover(template, "file:///notes/7.md"), "Some")
    assert.strictEqual(cover(template, "file:///notes/2026*"), "Some")
    assert.strictEqual(cover(template, "*/2.md"), "Some")
    assert.strictEqual(cover("{scheme}://{host}/{path}", "http*"), "Some")
    assert.strictEqual(cover("{a}{b}", "anything"), "Some")
    assert.strictEqual(cover("a{x}a", "aa"), "Some")
  })

  it("LST-09 share none with patterns that fit none of them", () => {
    assert.strictEqual(cover(template, "file:///public/*"), "None")
    assert.strictEqual(cover(template, "file:///notes/7.txt"), "None")
    assert.strictEqual(cover(template, "*.txt", "http:*"), "None")
    assert.strictEqual(cover("a{x}a", "a"), "None")
    assert.strictEqual(cover("file:///a", "file:///b"), "None")
    assert.strictEqual(cover(template), "None")
  })

  it("LST-09 are listed where a caller could use one of their resources, and only there", () => {
    assert.isTrue(usable("authenticated"))
    assert.isFalse(usable("deny"))
    assert.isTrue(usable("deny", rule(1, "file:///notes/7.md")))
    assert.isFalse(usable("deny", rule(1, "file:///public/*")))
    assert.isFalse(usable("authenticated", rule(1, "file:///notes/*", "false")))
    assert.isTrue(usable("authenticated", rule(1, "file:///notes/7.md", "false")))
    assert.isTrue(usable("deny", rule(1, "file:///notes/7.md", "false"), rule(2, "file:///notes/8.md", "true")))
    assert.isFalse(usable("deny", rule(1, "file:///*", "false"), rule(2, "file:///notes/8.md", "true")))
  })
})

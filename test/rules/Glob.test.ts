import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Glob } from "../../src/rules/Glob.ts"

/** The same by a regular expression. */
const naive = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&")).join("[^]*")}$`,
    "u"
  )

describe("Glob", () => {
  it.each([
    ["delete_*", ["delete_", "delete_note", "delete_*"], ["delete", "undelete_note", "Delete_note"]],
    ["*", ["", "anything", "with/slash", "with\nbreak"], []],
    ["*_admin", ["_admin", "x_admin"], ["x_admins"]],
    ["a*b*c", ["abc", "a-b-c", "abcbc"], ["ab", "acb", "abcd"]],
    ["notifications/*", ["notifications/initialized", "notifications/tools/list_changed"], [
      "notifications",
      "tools/list"
    ]],
    ["a*a", ["aa", "aba"], ["a"]],
    ["x.y?", ["x.y?"], ["xxyz"]],
    ["**", ["", "a"], []]
  ])("%s", (pattern, matching, others) => {
    const glob = new Glob(pattern)
    for (const name of matching) assert.isTrue(glob.matches(name), name)
    for (const name of others) assert.isFalse(glob.matches(name), name)
  })

  const text = Schema.Array(Schema.Literals(["a", "b", "*", "."])).check(Schema.isMaxLength(8))

  it.effect.prop(
    "agrees with a regular expression",
    { pattern: text, name: text },
    ({ name, pattern }) =>
      Effect.sync(() => {
        const [glob, given] = [pattern.join(""), name.join("")]
        assert.strictEqual(new Glob(glob).matches(given), naive(glob).test(given))
      })
  )
})

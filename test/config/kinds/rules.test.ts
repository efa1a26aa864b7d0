import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { describe as describeSettings } from "../../../src/config/describe.ts"
import { fromJson, fromText, shown } from "../../../src/config/kinds/kind.ts"
import { rules } from "../../../src/config/kinds/rules.ts"
import { scopeImplies } from "../../../src/config/kinds/scopeImplies.ts"
import { complete, onlyProblemOf, problemsOf, settingsOf } from "../resolving.ts"

/** The places and problems of rules that are wrong. */
const problems = (value: unknown): ReadonlyArray<string> => {
  const read = fromJson<unknown>(rules, value)
  return Result.isSuccess(read) ? [] : read.failure.map(({ problem }) => problem)
}

const good = (value: unknown) => {
  const read = fromJson(rules, value)
  return Result.isSuccess(read) ? read.success : assert.fail(JSON.stringify(read.failure))
}

const tool = { tools: ["a"] }

describe("rules", () => {
  it("what is written is what is read, from a file and from a variable", () => {
    const written = [
      { methods: ["initialize", "tools/list", "ping", "server/discover", "notifications/*"], allow: "anyone" },
      { tools: ["delete_*"], scopes: ["notes:delete"] },
      { methods: ["resources/read"], resources: ["file:///*"], scopes: ["files:read", "files:list"] },
      { prompts: ["*"] },
      { scopes: ["mcp:use"] }
    ]
    const read = good(written)
    assert.deepStrictEqual(shown(rules, read) as unknown, written)
    assert.deepStrictEqual(read.map(({ index }) => index), [1, 2, 3, 4, 5])
    assert.deepStrictEqual(fromText(rules, JSON.stringify(written)), Result.succeed(read))
    const settings = settingsOf(complete, { rules: written })
    assert.deepStrictEqual(describeSettings(settings)["rules"] as unknown, written)
    assert.deepStrictEqual(settings.policy?.rules, read)
    assert.deepStrictEqual(settings.scopesSupported, ["notes:delete", "files:read", "files:list", "mcp:use"])
  })

  it("without rules there is no policy", () => assert.isUndefined(settingsOf(complete).policy))

  it.each<readonly [string, unknown, ReadonlyArray<RegExp>]>([
    ["no object", ["x"], [/^rules\[0\] is not an object$/]],
    ["an unknown member", [tool, { tool: ["a"], scopes: ["s"] }], [/^rules\[1\] has an unknown member tool$/]],
    ["a member that may be a secret", [{ ...tool, s3cret: 1 }], [/^rules\[0\] has an unknown member \(not shown\)$/]],
    ["a number for a tool", [tool, tool, { tools: [1] }], [/^rules\[2\]\.tools\[0\] is not a name/]],
    ["an empty list", [{ tools: [] }], [/^rules\[0\]\.tools is not a list/]],
    ["a text for a list", [{ tools: "a" }], [/^rules\[0\]\.tools is not a list/]],
    ["an empty name", [{ prompts: ["a", ""] }], [/^rules\[0\]\.prompts\[1\] is not a name/]],
    ["a blank at the end", [{ resources: ["file:///a "] }], [/^rules\[0\]\.resources\[0\] has a blank/]],
    ["a placeholder", [{ tools: ["${TOOL}"] }], [/^rules\[0\]\.tools\[0\] holds a placeholder/]],
    ["another word for anyone", [{ ...tool, allow: "everyone" }], [/^rules\[0\]\.allow is not the word anyone$/]],
    ["no scope", [{ ...tool, scopes: ["a\"b"] }], [/^rules\[0\]\.scopes contains a scope with characters/]],
    ["offline_access", [{ ...tool, scopes: ["offline_access"] }], [/^rules\[0\]\.scopes names offline_access/]],
    ["anyone with scopes", [{ ...tool, allow: "anyone", scopes: ["s"] }], [/^rules\[0\]\.scopes is asked of callers/]],
    ["anyone, anything", [{ allow: "anyone" }], [/^rules\[0\] lets anyone do anything$/]],
    ["an empty rule", [{}], [/^rules\[0\] is empty$/]],
    ["no rules", [], [/^is a list without rules$/]],
    [
      "a method that names no tool",
      [{ methods: ["tools/call", "initialize"], tools: ["a"] }],
      [/^rules\[0\]\.methods\[1\] is not a method by which/]
    ],
    [
      "a kind that no method names",
      [{ methods: ["tools/call"], tools: ["a"], prompts: ["p"] }],
      [/^rules\[0\]\.prompts matches nothing/]
    ],
    ["a rule behind one for everything", [{ scopes: ["s"] }, tool], [
      /^rules\[1\] can never decide, because rules\[0\]/
    ]],
    ["a rule behind a broader one", [{ tools: ["a*"] }, { tools: ["ab", "a"] }], [/^rules\[1\] can never decide/]],
    ["a rule behind its method", [{ methods: ["tools/*"] }, tool], [/^rules\[1\] can never decide/]],
    [
      "several problems, all at once",
      [{ tools: [""], allow: "all" }, 5],
      [/^rules\[0\]\.allow/, /^rules\[0\]\.tools\[0\]/, /^rules\[1\]/]
    ]
  ])("%s", (_, value, expected) => {
    const found = problems(value)
    assert.lengthOf(found, expected.length, found.join("\n"))
    for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? "", pattern)
  })

  it.each<readonly [string, unknown]>([
    ["a broader rule behind", [{ tools: ["a"] }, { tools: ["a*"], scopes: ["s"] }]],
    ["another kind behind", [{ tools: ["*"] }, { prompts: ["*"] }]],
    ["one of two methods before", [{ methods: ["resources/read"], resources: ["a"] }, { resources: ["a"] }]],
    ["a part of the names before", [{ tools: ["a"] }, { tools: ["a", "b"] }]],
    ["everything to anyone, said so", [{ methods: ["*"], allow: "anyone" }]],
    ["a method for a kind", [{ methods: ["completion/*"], prompts: ["p"], resources: ["r"] }]],
    ["a template in a URI", [{ resources: ["file:///{path}"] }]]
  ])("usable: %s", (_, value) => assert.deepStrictEqual(problems(value), []))

  it("the nearest name is proposed, and nothing that is written is repeated", () => {
    const secret = "hunter2hunter2"
    const problem = onlyProblemOf(complete, { rules: [{ tols: [secret], scopes: ["s"] }] })
    assert.strictEqual(problem.fix, "Did you mean tools?")
    for (const rule of [{ tools: [secret, 1] }, { [secret]: 1 }, { ...tool, allow: secret }, { ...tool, when: 1 }]) {
      for (const { fix, problem } of problemsOf(complete, { rules: [rule] })) {
        assert.notInclude(problem + fix, secret)
      }
    }
  })

  it("a member that stands twice in a variable is rejected", () => {
    const { problem } = onlyProblemOf({ ...complete, MCP_RULES: `[{"tools":["a"],"tools":["b"]}]` })
    assert.match(problem, /^has \[0\]\.tools twice/)
  })

  it("requests without a caller need bound sessions", () => {
    const problem = onlyProblemOf({ ...complete, MCP_BIND_SESSIONS: "false" }, {
      rules: [{ ...tool, allow: "anyone" }]
    })
    assert.strictEqual(problem.setting, "MCP_BIND_SESSIONS")
    assert.isFalse(settingsOf({ ...complete, MCP_BIND_SESSIONS: "false" }, { rules: [tool] }).bindSessions)
  })

  it("rules do not hold where authentication is off, so they may not be there", () => {
    const problem = onlyProblemOf({ MCP_AUTH_ENABLED: "false" }, { rules: [tool] })
    assert.strictEqual(problem.setting, "MCP_RULES")
  })
})

const hierarchy = (value: unknown) => Result.getOrThrow(fromJson(scopeImplies, value))

describe("scope_implies", () => {
  it("is transitive, and only upwards", () => {
    const scopes = hierarchy({ admin: ["write"], write: "read list" })
    for (
      const [granted, wanted, has] of [
        ["admin", "read", true],
        ["admin", "list", true],
        ["write", "read", true],
        ["read", "read", true],
        ["other", "other", true],
        ["read", "write", false],
        ["write", "admin", false],
        ["adminx", "read", false],
        ["", "read", false]
      ] as const
    ) assert.strictEqual(scopes.has([granted], wanted), has, `${granted} ${wanted}`)
  })

  it.each<readonly [string, unknown, RegExp]>([
    ["a circle of three", { a: ["b"], b: ["c"], c: ["a"] }, /^goes in a circle: (a|b|c) includes/],
    ["a scope that includes itself", { a: ["a"] }, /^goes in a circle: a includes a$/],
    ["a cycle, and a path to it", { x: ["a"], a: ["b"], b: ["a"] }, /^goes in a circle/],
    ["no scope", { "a b": ["c"] }, /^member 1 is not the name of a scope$/],
    ["no list", { a: 1 }, /^the scopes of a: /],
    ["nothing", {}, /^names no scope$/],
    ["an array", [], /^is not a JSON object$/]
  ])("%s", (_, value, pattern) => {
    const read = fromJson<unknown>(scopeImplies, value)
    assert.match(Result.isFailure(read) ? read.failure[0]?.problem ?? "" : "accepted", pattern)
  })

  it("two ways to one scope are no circle", () => {
    const scopes = hierarchy({ a: ["b", "c"], b: ["d"], c: ["d"] })
    assert.isTrue(scopes.has(["a"], "d"))
  })

  it("is shown as it was written", () => {
    const settings = settingsOf({ ...complete, MCP_SCOPE_IMPLIES: `{"a":["b"]}` })
    assert.deepStrictEqual(describeSettings(settings)["scope_implies"] as unknown, { a: ["b"] })
  })
})

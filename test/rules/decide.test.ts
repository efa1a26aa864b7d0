import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RuleInput } from "../../src/config/kinds/rules.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import type { Operation, Subject } from "../../src/message/operation.ts"
import { couldUse, decide } from "../../src/rules/decide.ts"
import { Glob } from "../../src/rules/Glob.ts"
import type { Policy } from "../../src/rules/Policy.ts"
import { ScopeHierarchy } from "../../src/rules/ScopeHierarchy.ts"
import { ruled } from "../fixtures/rules.ts"

const context = { now: 0, server: "" }

const policyOf = (rules: ReadonlyArray<RuleInput>, more: Parameters<typeof ruled>[0] = {}): Policy =>
  ruled({ rules, ...more }).policy ?? assert.fail("no policy")

const caller = (scopes: ReadonlyArray<string> = [], claims: Identity["claims"] = {}): Identity => ({
  subject: "user-1",
  clientId: "client",
  issuer: "https://issuer.example",
  scopes,
  email: undefined,
  name: undefined,
  provider: "oidc",
  expiresAt: undefined,
  claims
})

const operation = (method: string, subject?: Subject, given?: Operation["arguments"]): Operation => ({
  method,
  subject,
  arguments: given
})

const call = (name: string, given?: Operation["arguments"]) => operation("tools/call", { kind: "tool", name }, given)
const read = (name: string) => operation("resources/read", { kind: "resource", name })

describe("decide", () => {
  it("the first rule that matches decides", () => {
    const policy = policyOf([
      { tools: ["delete_draft"] },
      { tools: ["delete_*"], scopes: ["a"] },
      { methods: ["tools/*"], scopes: ["b"] }
    ])
    assert.deepStrictEqual(decide(policy, call("delete_draft"), caller(), context), { _tag: "Allow", rule: 1 })
    assert.deepStrictEqual(decide(policy, call("delete_all"), caller(["b"]), context), {
      _tag: "MissingScopes",
      rule: 2,
      required: ["a"],
      missing: ["a"]
    })
    assert.deepStrictEqual(decide(policy, call("list"), caller(["b"]), context), { _tag: "Allow", rule: 3 })
    assert.deepStrictEqual(decide(policy, operation("ping"), caller(), context), { _tag: "Allow", rule: undefined })
    assert.deepStrictEqual(decide(policy, call("delete_all"), undefined, context), {
      _tag: "Unauthenticated",
      rule: 2,
      scopes: ["a"]
    })
  })

  it("a condition that is false or fails denies, regardless of the scopes; so does the default rule", () => {
    const policy = policyOf([
      { tools: ["admin_*"], scopes: ["a"], when: "'admins' in claims.groups" },
      { tools: ["pay"], when: "message.arguments.amount <= 100" },
      { tools: ["other"] }
    ], { default_rule: "deny" })
    const tagOf = (asked: Operation, by: Identity | undefined) => decide(policy, asked, by, context)._tag
    assert.strictEqual(tagOf(call("admin_x"), caller(["a"], { groups: ["admins"] })), "Allow")
    assert.strictEqual(tagOf(call("admin_x"), caller([], { groups: ["admins"] })), "MissingScopes")
    assert.strictEqual(tagOf(call("admin_x"), caller([], { groups: [] })), "Denied")
    assert.strictEqual(tagOf(call("admin_x"), caller(["a"])), "Denied")
    assert.strictEqual(tagOf(call("pay", { amount: 100 }), caller()), "Allow")
    assert.strictEqual(tagOf(call("pay", { amount: 101 }), caller()), "Denied")
    assert.strictEqual(tagOf(call("pay", { Amount: 1 }), caller()), "Denied")
    assert.strictEqual(tagOf(call("pay"), caller()), "Denied")
    assert.strictEqual(tagOf(call("pay", { amount: 1 }), undefined), "Unauthenticated")
    assert.strictEqual(tagOf(operation("unknown"), caller()), "Denied")
    assert.strictEqual(tagOf(operation("unknown"), undefined), "Unauthenticated")
  })

  it("a rule with methods and names is for messages that match both", () => {
    const policy = policyOf([{ methods: ["resources/subscribe"], resources: ["a:*"], scopes: ["s"] }])
    const subscribe = operation("resources/subscribe", { kind: "resource", name: "a:1" })
    assert.strictEqual(decide(policy, subscribe, caller(), context)._tag, "MissingScopes")
    assert.strictEqual(decide(policy, read("a:1"), caller(), context)._tag, "Allow")
  })

  const restricted = policyOf([
    { resources: ["file:///secret/*", "file:///one", "db://host/admin*"], scopes: ["s"] },
    { resources: ["file:///a%20b/*"], scopes: ["t"] }
  ])
  const open = policyOf([{ resources: ["file:///public/*"] }], { default_rule: "deny" })

  it.each([
    "file:///secret/x",
    "file:///public/../secret/x",
    "file:///./secret/x",
    "file:///%73ecret/x",
    "file:///%2573ecret/x",
    "FILE:///secret/x",
    "file:////secret/x",
    "file:///secret//x",
    "file:///public/%2e%2e/secret/x",
    "file:///public%2f..%2fsecret/x",
    "file:\\\\\\secret/x",
    "file:///public\\..\\secret\\x",
    "file:///one?download",
    "file:///one#part",
    "file:///%6fne?x",
    "DB://HOST/admin",
    "db://host/x/../admin/y",
    "file:/secret/x",
    "file://localhost/secret/x",
    "file:///sec\tret/x",
    " file:///secret/x\n"
  ])("no other spelling evades a rule: %s", (uri) => {
    assert.strictEqual(decide(restricted, read(uri), caller(), context)._tag, "MissingScopes")
    assert.strictEqual(decide(restricted, read(uri), caller(["s"]), context)._tag, "Allow")
  })

  it.each([
    "file:///public/../etc/passwd",
    "file:///public/%2e%2e/x",
    "file:///public/..",
    "file:///public\\..\\..\\x"
  ])(
    "and none leaves what is allowed: %s",
    (uri) => assert.strictEqual(decide(open, read(uri), caller(), context)._tag, "Denied")
  )

  it.each([
    "file:///public/x",
    "file:///public/x?y=../../z",
    "file:///public/a%20b",
    "file:///public/a%2Fb",
    "file:///public/..x"
  ])(
    "what is allowed stays allowed: %s",
    (uri) => assert.strictEqual(decide(open, read(uri), caller(), context)._tag, "Allow")
  )

  it("a pattern may be written with escapes", () => {
    assert.strictEqual(decide(restricted, read("file:///a%20b/c"), caller(), context)._tag, "MissingScopes")
    assert.strictEqual(decide(restricted, read("file:///a b/c"), caller(), context)._tag, "Allow")
  })

  it("a condition sees the URI as servers may take it, too", () => {
    const policy = policyOf([{ methods: ["resources/read"], when: "message.name.startsWith('file:///public/')" }])
    assert.strictEqual(decide(policy, read("file:///public/x"), caller(), context)._tag, "Allow")
    assert.strictEqual(decide(policy, read("file:///public/../x"), caller(), context)._tag, "Denied")
  })
})

// The oracle: the same decision by the rules as they are written, independent of the code of `decide`.

const pattern = (glob: string): RegExp =>
  new RegExp(`^${glob.replaceAll(/[.+?^$()[\]{}|\\/]/gu, "\\$&").replaceAll("*", "[^]*")}$`, "u")

const some = (globs: ReadonlyArray<string> | undefined, name: string | undefined): boolean =>
  globs !== undefined && name !== undefined && globs.some((glob) => pattern(glob).test(name))

interface World {
  readonly rules: ReadonlyArray<RuleInput>
  readonly deny: boolean
  readonly implies: Readonly<Record<string, ReadonlyArray<string>>>
}

const truths: Readonly<Record<string, (by: Identity, asked: Operation) => boolean>> = {
  "true": () => true,
  "false": () => false,
  "'g' in claims.groups": (by) => Array.isArray(by.claims["groups"]) && by.claims["groups"].includes("g"),
  "message.arguments.n > 1": (_, asked) => {
    const given = asked.arguments
    const n = typeof given === "object" && given !== null && "n" in given ? given["n"] : undefined
    return typeof n === "number" && n > 1
  }
}

const holds = (granted: ReadonlyArray<string>, scope: string, implies: World["implies"], depth = 0): boolean =>
  granted.includes(scope) ||
  (depth < 10 &&
    Object.entries(implies).some(([larger, smaller]) =>
      smaller.includes(scope) && holds(granted, larger, implies, depth + 1)
    ))

const naive = ({ deny, implies, rules }: World, asked: Operation, by: Identity | undefined): boolean => {
  for (const rule of rules) {
    const named = asked.subject?.name
    const kind = asked.subject?.kind
    const hasSubjects = rule.tools !== undefined || rule.prompts !== undefined || rule.resources !== undefined
    const isNamed = (kind === "tool" && some(rule.tools, named)) || (kind === "prompt" && some(rule.prompts, named)) ||
      (kind === "resource" && some(rule.resources, named))
    if (hasSubjects && !isNamed) continue
    if (rule.methods !== undefined && !some(rule.methods, asked.method)) continue
    if (rule.allow === "anyone") return true
    if (by === undefined) return false
    if (rule.when !== undefined && truths[rule.when]?.(by, asked) !== true) return false
    return [rule.scopes ?? []].flat().every((scope) => holds(by.scopes, scope, implies))
  }
  return by !== undefined && !deny
}

const few = <A extends ReadonlyArray<string>>(words: A) =>
  Schema.Array(Schema.Literals(words)).check(Schema.isMinLength(1), Schema.isMaxLength(2))

const scope = Schema.Literals(["a", "b", "c"])

/** Rules as no settings could have them, too: those that contradict themselves are left to the settings. */
const Rule = Schema.Struct({
  methods: Schema.optionalKey(few(["tools/call", "tools/*", "*", "prompts/get", "ping", "resources/*"])),
  tools: Schema.optionalKey(few(["x", "x*", "*", "y"])),
  prompts: Schema.optionalKey(few(["x", "*y"])),
  resources: Schema.optionalKey(few(["r:x", "r:*"])),
  anyone: Schema.Boolean,
  scopes: Schema.Array(scope).check(Schema.isMaxLength(2)),
  when: Schema.optionalKey(Schema.Literals(["true", "false", "'g' in claims.groups", "message.arguments.n > 1"]))
})

const Asked = Schema.Union([
  Schema.Struct({
    method: Schema.Literal("tools/call"),
    kind: Schema.Literal("tool"),
    name: Schema.Literals(["x", "xy", "y", "z"])
  }),
  Schema.Struct({
    method: Schema.Literal("prompts/get"),
    kind: Schema.Literal("prompt"),
    name: Schema.Literals(["x", "yy"])
  }),
  Schema.Struct({
    method: Schema.Literals(["resources/read", "resources/subscribe"]),
    kind: Schema.Literal("resource"),
    name: Schema.Literals(["r:x", "r:y", "s:x"])
  }),
  Schema.Struct({ method: Schema.Literals(["ping", "tools/list", "unknown"]) })
])

const globs = (patterns: ReadonlyArray<string> | undefined) => patterns?.map((pattern) => new Glob(pattern))

/** The policy of a generated case, made by the settings if they allow it, else here. */
const compiled = ({ deny, implies, rules }: World): Policy => {
  return {
    rules: rules.map(({ allow, methods, prompts, resources, scopes = [], tools, when }, index) => ({
      index: index + 1,
      methods: globs(methods),
      tools: globs(tools),
      prompts: globs(prompts),
      resources: globs(resources),
      anyone: allow === "anyone",
      scopes: [scopes].flat(),
      when: when === undefined ? undefined : policyOf([{ tools: ["x"], when }]).rules[0]?.when
    })),
    otherwise: deny ? "deny" : "authenticated",
    implies: new ScopeHierarchy(implies)
  }
}

describe("a second, naive evaluator", () => {
  const given = {
    rules: Schema.Array(Rule).check(Schema.isMaxLength(5)),
    deny: Schema.Boolean,
    implies: Schema.Struct({
      c: Schema.optionalKey(Schema.Array(Schema.Literals(["a", "b"])).check(Schema.isMinLength(1))),
      b: Schema.optionalKey(Schema.Array(Schema.Literal("a")).check(Schema.isMinLength(1)))
    }),
    asked: Asked,
    n: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))),
    granted: Schema.NullOr(Schema.Array(scope).check(Schema.isMaxLength(2))),
    inGroup: Schema.Boolean
  }

  it.effect.prop("agrees: no message passes that a rule denies to its caller, and none is denied for no rule", given, (
    { asked, deny, granted, implies, inGroup, n, rules: drawn }
  ) =>
    Effect.sync(() => {
      const rules = drawn.map(({ anyone, scopes, when, ...matcher }): RuleInput =>
        anyone ? { ...matcher, allow: "anyone" } : { ...matcher, scopes, ...(when === undefined ? {} : { when }) }
      )
      const world: World = { deny, implies: implies as World["implies"], rules }
      const message = operation(
        asked.method,
        "kind" in asked ? { kind: asked.kind, name: asked.name } : undefined,
        n === null ? undefined : { n }
      )
      const by = granted === null ? undefined : caller(granted, inGroup ? { groups: ["g"] } : {})
      const policy = compiled(world)
      const decision = decide(policy, message, by, context)
      assert.strictEqual(
        decision._tag === "Allow",
        naive(world, message, by),
        JSON.stringify({ world, message, by, decision })
      )
      assert.strictEqual(decision._tag === "Unauthenticated", by === undefined && !naive(world, message, by))
      if (decision._tag === "MissingScopes") {
        assert.isTrue(
          naive(world, message, caller([...granted ?? [], ...decision.required], by?.claims)),
          "step-up suffices"
        )
        assert.isAbove(decision.missing.length, 0)
      }
      // A list never leaves out what its caller could use.
      const { subject } = message
      if (subject !== undefined && by !== undefined && !couldUse(policy, subject, by, context)) {
        const used = { tool: "tools/call", prompt: "prompts/get", resource: "resources/read" }[subject.kind]
        assert.isFalse(naive(world, operation(used, subject, message.arguments), caller(["a", "b", "c"], by.claims)))
      }
    }), { arbitrary: { runs: 2000 } })
})

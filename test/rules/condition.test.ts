import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import type { Identity } from "../../src/identity/Identity.ts"
import type { Json } from "../../src/identity/Json.ts"
import { compile, type Condition, type ConditionInput, forOneRequest, type Truth } from "../../src/rules/condition.ts"
import { either, oneOf, textOf } from "../../src/testing/arbitrary.ts"

const identity: Identity = {
  subject: "user-1",
  principal: "user",
  clientId: "desk",
  issuer: "https://login.example.com",
  scopes: ["notes:read"],
  email: "ann@example.com",
  emailVerified: true,
  name: undefined,
  provider: "login",
  expiresAt: Date.parse("2026-11-30T13:00:00Z") / 1000,
  groups: ["admins", "finance"],
  claims: {
    email: "ann@example.com",
    groups: ["admins", "finance"],
    "https://example.com/roles": ["clerk"],
    address: { country: "US", locality: null },
    level: 3,
    "$typeName": "google.protobuf.StringValue",
    constructor: { name: "Object" }
  }
}

const input = (args?: Json, claims = identity.claims): ConditionInput => ({
  identity: { ...identity, claims },
  claims,
  message: { method: "tools/call", subject: { kind: "tool", name: "pay" }, arguments: args },
  server: "notes",
  now: Date.parse("2026-11-30T12:00:00Z")
})

const compiled = (text: string): Condition =>
  Result.getOrThrowWith(compile(text), ({ position, problem }) => new Error(`${position}: ${problem}`))

const test = (text: string, args?: Json): Truth => compiled(text).test(input(args))

describe("conditions", () => {
  it.each([
    ["'admins' in claims.groups"],
    ["'admins' in identity.groups && identity.scopes == ['notes:read']"],
    ["'clerk' in claims['https://example.com/roles']"],
    ["identity.subject == 'user-1' && identity.principal == 'user' && identity.client_id == 'desk'"],
    ["identity.issuer.endsWith('.example.com') && identity.provider == 'login'"],
    ["identity.email.lowerAscii().endsWith('@example.com') && !has(identity.name)"],
    ["claims.email.matches(r'^[a-z.]+@example\\.com$')"],
    ["claims.address.country in ['US', 'CA']"],
    ["claims.level >= 3 && claims.level == 3 && claims.level < 3.5"],
    ["server == 'notes' && message.method == 'tools/call' && message.name == 'pay'"],
    ["now < identity.expires_at && identity.expires_at - now == duration('1h')"],
    ["now.getHours() == 12 && now.getHours('America/New_York') == 7 && now.getHours('+05:30') == 17"],
    ["now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 30 && now.getDayOfMonth() == 29"],
    ["now.getDayOfWeek() == 1 && now.getDayOfYear() == 333 && now.getDayOfWeek('Pacific/Kiritimati') == 2"],
    ["now.getHours('UTC') == 12 && now == timestamp('2026-11-30T12:00:00Z')"],
    ["identity.groups.exists(g, g.startsWith('adm')) && identity.groups.all(g, g != 'guests')"],
    ["claims.groups.filter(g, g != 'admins') == ['finance'] && size(claims.groups) == 2"],
    ["has(claims.address.country) && !has(claims.address.street) && !has(claims.tenant)"],
    // A member that is null is there (CEL, and JSON).
    ["has(claims.address.locality) && claims.address.locality == null && 'locality' in claims.address"],
    // An error does not matter if the other operand decides.
    ["claims.tenant == 'x' || true"],
    ["identity.claims == claims"]
  ])("%s is true", (text) => {
    expect(test(text)).toBe("true")
  })

  it.each([
    ["'guests' in claims.groups"],
    ["has(claims.tenant) && claims.tenant == 'one'"],
    ["has(message.arguments) && message.arguments.amount <= 100"],
    // `in` finds an element, not a part of a string.
    ["'admin' in claims.groups"]
  ])("%s is false", (text) => {
    expect(test(text)).toBe("false")
  })

  it.each<readonly [args: Json, truth: string]>([
    [{ amount: 100 }, "true"],
    [{ amount: 100.0 }, "true"],
    [{ amount: 99.5 }, "true"],
    [{ amount: -1 }, "true"],
    [{ amount: 100.5 }, "false"],
    [{ amount: Number.MAX_SAFE_INTEGER }, "false"]
  ])("compares the numbers of JSON with integers: amount <= 100 of %j", (args, truth) => {
    expect(test("message.arguments.amount <= 100", args)).toBe(truth)
    expect(test("message.arguments.amount <= 100.0", args)).toBe(truth)
  })

  it.each<readonly [text: string, args: Json | undefined, error: string]>([
    ["message.arguments.amount <= 100", undefined, "a member that is looked at is missing"],
    [
      "message.arguments.amount <= 100",
      {},
      "at position 18, \".amount <= 100\": a member that is looked at is missing"
    ],
    ["message.arguments.amount <= 100", { amount: "secret" }, "<= cannot be used with (string, int)"],
    ["message.arguments.amount <= 100", { amount: null }, "<= cannot be used with (null_type, int)"],
    ["message.arguments.amount <= 100", { amount: ["secret"] }, "<= cannot be used with (list, int)"],
    ["message.arguments.amount <= 100", ["secret"], "a member that is looked at is missing"],
    ["message.arguments.amount <= 100", "secret", "a member that is looked at is missing"],
    ["message.arguments.amount + 1 > 2", { amount: 5 }, "numbers of JSON are doubles: write 1.0 for 1"],
    ["int(message.arguments.amount) > 2", { amount: "secret" }, "this cannot be computed"],
    ["message.arguments[message.arguments.key] == 1", { key: "secret" }, "a member that is looked at is missing"],
    ["{message.arguments.key: 1, 'secret': 2}.secret == 1", { key: "secret" }, "this cannot be computed"],
    ["timestamp(message.arguments.day) < now", { day: "secret" }, "this cannot be computed"],
    ["message.arguments.flag", { flag: "secret" }, "the result is not a bool"],
    ["message.arguments.list[3] == 1", { list: ["secret"] }, "an index is outside of its list"],
    ["message.arguments.list.exists(one, one)", { list: ["secret"] }, "a bool is needed, but this is string"],
    ["message.arguments.list.exists(one, one == 1)", { list: "secret" }, "this is neither a list nor a map"],
    // Another number may be meant: JSON.parse has rounded it.
    ["message.arguments.id != 9007199254740993", JSON.parse("{\"id\":9007199254740993}"), "this cannot be computed"],
    ["message.arguments.list[0] != 1", JSON.parse("{\"list\":[18446744073709551617]}"), "this cannot be computed"],
    ["message.arguments.amount > 1", JSON.parse("{\"amount\":1e400}"), "this cannot be computed"],
    ["claims.tenant == 'one'", undefined, "ask has(…) first"]
  ])("%s of %j is an error that shows no value", (text, args, error) => {
    const truth = test(text, args)
    expect(truth).toEqual({ error: expect.stringContaining(error) })
    expect(JSON.stringify(truth).replace(JSON.stringify(text.slice(8)), "").replaceAll("'secret'", "")).not.toMatch(
      /"secret"/
    )
  })

  it.each([
    ["message.arguments.amount > 1", true],
    ["message == {}", true],
    ["message['name'] == 'pay'", true],
    ["identity.groups.exists(message, message == 'a')", true],
    ["message.name == 'pay' && message.method == 'tools/call'", false],
    ["'admins' in claims.groups", false],
    ["has(message.arguments)", true]
  ])("%s needs the arguments: %s", (text, needed) => {
    expect(compiled(text).needsArguments).toBe(needed)
  })

  it("looks at no address that may be another's", () => {
    const condition = compiled("has(identity.email)")
    for (const emailVerified of [false, undefined]) {
      expect(condition.test({ ...input(), identity: { ...identity, emailVerified } })).toBe("false")
    }
  })

  it.each<readonly [part: "claims" | "groups", text: string]>([
    ["claims", "!has(claims.suspended)"],
    ["claims", "!has(identity.claims.suspended)"],
    ["claims", "identity != {}"],
    ["groups", "!('guests' in identity.groups)"],
    ["groups", "!('guests' in identity['groups'])"]
  ])("denies where the %s of the caller are not all known: %s", (part, text) => {
    const condition = compiled(text)
    expect(condition.test(input())).toBe("true")
    expect(condition.test({ ...input(), identity: { ...identity, incomplete: [part] } })).toEqual({
      error: expect.any(String)
    })
    const other = part === "claims" ? "identity.groups == ['admins', 'finance']" : "claims.level == 3"
    expect(compiled(other).test({ ...input(), identity: { ...identity, incomplete: [part] } })).toBe("true")
  })

  it("keeps the expression as it was written", () => {
    expect(compiled(" 'a' in claims.groups // all of them").text).toBe(" 'a' in claims.groups // all of them")
  })
})

describe("the conditions of the README", () => {
  const readme = readFileSync(new URL("../../src/rules/README.md", import.meta.url), "utf8")
  const conditions = [...readme.matchAll(/"when": "([^"]+)"/g)].map(([, text = ""]) => text)

  it("are true of a caller that has what they ask for", () => {
    expect(conditions.length).toBeGreaterThanOrEqual(4)
    const caller = { ...identity, claims: { ...identity.claims, department: "operations" } }
    for (const text of conditions) {
      const truth = compiled(text).test({ ...input({ amount: 50 }), identity: caller, claims: caller.claims })
      expect([text, truth]).toEqual([text, "true"])
    }
  })
})

describe("an expression that is wrong", () => {
  const mistakes: ReadonlyArray<readonly [text: string, position: number | undefined, problem: string]> = [
    ["", 1, "the expression is empty"],
    ["  ", 1, "the expression is empty"],
    ["1 +", 3, "cannot be read from here"],
    ["claims.groups claims", 15, "cannot be read from here"],
    ["claims.email = 'a'", 14, "write == for ="],
    ["claims.email === 'a'", 14, "write == for ==="],
    ["claims.email <> 'a'", 14, "write != for <>"],
    ["true and false", 6, "write && for and"],
    ["true OR false", 6, "write || for OR"],
    ["not true", 1, "write ! for not"],
    ["true & false", 6, "write && for &"],
    ["claims.`a-b` == 1", 8, "write ['…']"],
    ["claims.a == 'b", 13, "no closing quote"],
    ["claims.a == '\\d'", 14, "this escape is not known"],
    ["(claims.a == 'b'", 1, "( is not closed by )"],
    ["claims.a == 'b')", 16, "there is no opening bracket for this )"],
    ["'a' in ['b')", 12, ") does not close [ at position 8"],
    ["claims.a == “b”", 13, "this character is not part of CEL"],
    ["clams.email == 'a'", 1, "there is no variable clams; did you mean claims?"],
    ["user.email == 'a'", 1, "there are identity, claims, message, server, now"],
    ["identity.clientId == 'a'", 9, "did you mean client_id?"],
    ["identity['sub'] == 'a'", 9, "there is no member sub"],
    ["message.tool == 'a'", 8, "there is no member tool"],
    ["server.name == 'a'", 7, "string has no members"],
    ["claims.email.endswith('a')", 13, "there is no function endswith; did you mean endsWith?"],
    ["claims.email.replace('a', 'b') == 'b'", 13, "there is no function replace"],
    ["has(claims)", 1, "has(claims.email)"],
    ["claims.groups.exists(g)", 14, "it takes a name and a condition"],
    ["identity.email", 9, "the result must be a bool, but it is string"],
    ["size(claims)", 1, "the result must be a bool, but it is int"],
    ["claims.groups.map(g, g)", 14, "the result must be a bool, but it is list"],
    ["identity.subject == 1", 18, "== cannot be used with (string, int), which are never equal"],
    ["identity.subject < 1", 18, "< cannot be used with (string, int)"],
    ["1 in identity.groups", 3, "in cannot be used with (int, list of string)"],
    ["'a' in identity.subject", 5, "in cannot be used with (string, string)"],
    ["identity.groups && true", 9, "each side of && must be a bool, but this is list of string"],
    ["!identity.subject", 10, "what ! negates must be a bool"],
    ["identity.subject ? true : false", 9, "what stands before ? must be a bool"],
    ["identity.groups.exists(g, g)", 27, "must be a bool, but this is string"],
    ["identity.subject.exists(c, true)", 9, "neither a list nor a map"],
    ["identity.groups['a'] == 'b'", 16, "list of string cannot be indexed by string"],
    ["now > '2026-01-01'", 5, "> cannot be used with (timestamp, string)"],
    ["now - identity.expires_at > 5", 27, "> cannot be used with (duration, int)"],
    ["claims.n == 9223372036854775808", 13, "too large for an integer of 64 bits"],
    ["google.protobuf.Duration{seconds: 1} == duration('1s')", 1, "are not supported"],
    ["claims.email.matches(claims.pattern)", 13, "must be a text in the expression itself"],
    ["claims.email.matches('(')", 13, "not a regular expression"],
    // Lookbehind and backreferences have no place in RE2.
    ["claims.email.matches(r'(a)\\1')", 13, "not a regular expression"],
    ["claims.email.matches('(a{500}){3}')", 13, "not a regular expression"],
    ["claims.email.matches('(?:a|b){1000}c')", 13, "the pattern is too large"],
    [`'${"a".repeat(5_000)}' == server`, 4_097, "longer than 4096 characters"],
    [`${"(".repeat(40)}true${")".repeat(40)}`, 33, "brackets are nested more than 32 times"],
    [`${"[".repeat(40)}1${"]".repeat(40)} == []`, 33, "brackets are nested more than 32 times"],
    [`1${" + 1".repeat(100)} == 1`, undefined, "nested more than 64 times"],
    [`[${"1, ".repeat(1_200)}1] == []`, undefined, "more than 1000 parts"]
  ]

  it.each(
    mistakes.map(([text, position, problem]) => ({
      text,
      position,
      problem,
      title: text.length > 80 ? `${text.slice(0, 80)}…` : text
    }))
  )("$title is reported with its position", ({ position, problem, text }) => {
    const result = compile(text)
    const found = Result.isFailure(result) ? result.failure : { position: 0, problem: "nothing" }
    expect(found.problem).toContain(problem)
    expect(found.position).toBe(position ?? found.position)
  })

  const pieces = ["claims", ".email", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "has(", "==", "&&", "||", "?", ":"]

  it.prop(
    "compiles or is reported, for every text",
    {
      text: either(
        Arbitrary.schema(Schema.String),
        textOf([...pieces, ",", " ", "1", "-", "!", "x", "in"], { maxLength: 30 })
      )
    },
    ({ text }) => {
      const result = compile(text)
      const position = Result.isFailure(result) ? result.failure.position : 1
      return position >= 1 && position <= text.length + 1
    }
  )
})

const everything = [
  "claims.a == message.arguments.a",
  "claims.a in message.arguments.b",
  "claims.exists(k, claims[k] == message.arguments[k])",
  "message.arguments.b.map(x, x + x) == claims.b",
  "message.arguments.all(k, size(message.arguments[k]) > 1)",
  "string(message.arguments.a) + claims.b == 'x'",
  "message.arguments == claims || has(message.arguments.a.b)",
  "message.arguments.a.b.a == claims.b[0]",
  "claims.a < message.arguments.a && message.arguments.b.matches('a+b')"
].map(compiled)

describe("an evaluation", () => {
  const name = oneOf(["a", "b", "__proto__", "constructor", "$typeName", "toString", "hasOwnProperty"])
  const object = (value: Arbitrary.Arbitrary<Json>): Arbitrary.Arbitrary<{ readonly [member: string]: Json }> =>
    Arbitrary.map(
      Arbitrary.array(Arbitrary.all({ name, value }), { maxLength: 4 }),
      (members) => Object.fromEntries(members.map(({ name, value }) => [name, value]))
    )
  const scalar = either<Json>(
    oneOf<Json>([null, true, "google.protobuf.Any", "", 0, -0, 1e308, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE * 2]),
    Arbitrary.schema(Schema.String),
    Arbitrary.schema(Schema.Finite)
  )
  const json = (depth: number): Arbitrary.Arbitrary<Json> =>
    depth === 0
      ? scalar
      : either<Json>(scalar, Arbitrary.array(json(depth - 1), { maxLength: 4 }), object(json(depth - 1)))

  it.prop("never throws, and returns true, false or a reason, for any JSON", {
    claims: object(json(3)),
    args: json(3)
  }, ({ args, claims }) =>
    everything.every((condition) => {
      const truth = condition.test(input(args, claims))
      return truth === "true" || truth === "false" || typeof truth.error === "string"
    }))

  it("takes nothing of a prototype for a member", () => {
    const claims: Identity["claims"] = JSON.parse("{\"__proto__\": {\"admin\": true}}")
    expect(compiled("has(claims.admin)").test(input({}, claims))).toBe("false")
    expect(compiled("has(claims.toString) || 'constructor' in claims").test(input({}, {}))).toBe("false")
    expect(compiled("has(message.arguments.valueOf)").test(input({}))).toBe("false")
  })

  it("takes no object of JSON for a message of protobuf", () => {
    const args = {
      a: { $typeName: "google.protobuf.BoolValue", value: true },
      list: [{ $typeName: "google.protobuf.BoolValue", value: true }]
    }
    expect(test("message.arguments.a == true || message.arguments.list[0] == true", args)).toBe("false")
    expect(test("message.arguments.a.value == true && message.arguments.list[0].value == true", args)).toBe("true")
  })

  const numbers = Array.from({ length: 5_000 }, (_, index) => index)
  const long = "a".repeat(1_000_000)

  it.each<readonly [text: string, args: Json]>([
    ["message.arguments.l.exists(a, message.arguments.l.exists(b, a == b + 1.0))", { l: numbers.map((n) => n * 10) }],
    ["[message.arguments.l].all(l, l.all(a, l.all(b, l.all(c, true))))", { l: numbers.slice(0, 1_000) }],
    ["message.arguments.l.map(a, message.arguments.l) == []", { l: numbers.slice(0, 1_000) }],
    ["message.arguments.all(k, !(1 in message.arguments))", Object.fromEntries(numbers.map((n) => [`k${n}`, n]))],
    ["message.arguments.l.all(x, x == message.arguments.l)", {
      l: Array.from({ length: 300 }, () => numbers.slice(0, 300))
    }],
    [
      `[message.arguments.t]${".map(x, x + x)".repeat(12)}.all(x, size(x) > 0)`,
      { t: long }
    ],
    ["[1, 2, 3, 4, 5, 6, 7, 8].all(n, message.arguments.t.contains(message.arguments.u))", {
      t: long,
      u: `${"a".repeat(50_000)}b`
    }],
    ["message.arguments.l.all(x, message.arguments.t.matches('^(a|b)*c?$'))", { l: numbers, t: "ab".repeat(1_000) }],
    ["message.arguments.l.all(x, now.getHours('Europe/Paris') >= 0)", { l: numbers }],
    ["message.arguments.t.lowerAscii() == 'a'", { t: long }],
    ["message.arguments.l.all(x, true) || true", { l: Array.from({ length: 100_000 }, () => 0) }]
  ])("%s ends when its work is used up, and denies", (text, args) => {
    expect(test(text, args)).toEqual({ error: "the condition takes too much work" })
  })

  it.each([
    ["(a+)+$", `${"a".repeat(4_000)}!`],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(200)],
    ["(a|aa)+$", `${"a".repeat(4_000)}!`],
    ["(.*)(.*)(.*)(.*)x$", "a".repeat(500)]
  ])("matches %s in a time that grows with the text alone", (pattern, subject) => {
    expect(test(`message.arguments.t.matches(r'${pattern}')`, { t: subject })).toBe("false")
  })

  it("does not match a text that is longer than identifiers are", () => {
    expect(test("message.arguments.t.matches('a')", { t: "a".repeat(5_000) })).toEqual({ error: expect.any(String) })
  })

  it("looks at no more of the arguments than it needs", () => {
    const deep: Json = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`)
    expect(test("message.arguments.amount <= 100", { amount: 1, deep, long, numbers })).toBe("true")
    expect(test("message.arguments.deep == []", { deep })).toEqual({ error: expect.any(String) })
  })

  it("shares the work of a request with the others for it", () => {
    const condition = compiled("message.arguments.l.all(x, x >= 0)")
    const args = { l: numbers.slice(0, 2_000) }
    const truths = forOneRequest(() => Array.from({ length: 50 }, () => condition.test(input(args))))
    expect(truths[0]).toBe("true")
    expect(truths.at(-1)).toEqual({ error: "the condition takes too much work" })
    expect(condition.test(input(args))).toBe("true")
  })

  it("over the caller alone is done once for each verified token, with all the work that it needs", () => {
    const claims = { groups: numbers.slice(0, 2_000).map(String) }
    const condition = compiled("claims.groups.exists(g, g == 'none') || claims.groups.all(g, g != 'none')")
    const one = input({}, claims)
    const heavy = compiled("message.arguments.l.all(x, x >= 0)")
    const drained = forOneRequest(() => {
      for (let time = 0; time < 50; time++) heavy.test(input({ l: numbers.slice(0, 2_000) }))
      return condition.test(one)
    })
    expect(drained).toEqual({ error: "the condition takes too much work" })
    expect(condition.test(one)).toBe("true")
    expect(forOneRequest(() => Array.from({ length: 1_000 }, () => condition.test(one)))).toEqual(
      Array.from({ length: 1_000 }, () => "true")
    )
  })

  it("has its own work each time", () => {
    const condition = compiled("message.arguments.l.all(x, x >= 0)")
    const args = { l: numbers.slice(0, 2_000) }
    for (let time = 0; time < 20; time++) expect(condition.test(input(args))).toBe("true")
  })
})

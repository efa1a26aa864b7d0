import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseChallenges } from "../../src/forward/parseChallenges.ts"
import { oneOf } from "../../src/testing/arbitrary.ts"

const read = (field: string | ReadonlyArray<string>) =>
  parseChallenges(field)?.map(({ parameters, scheme }) => [scheme, Object.fromEntries(parameters)])

describe("parseChallenges", () => {
  it("reads what servers send", () => {
    const cases: ReadonlyArray<readonly [field: string | ReadonlyArray<string>, expected: unknown]> = [
      ["Bearer", [["bearer", {}]]],
      ["Basic realm=\"a\"", [["basic", { realm: "a" }]]],
      [
        "Bearer error=\"insufficient_scope\", scope=\"a b\"",
        [["bearer", { error: "insufficient_scope", scope: "a b" }]]
      ],
      ["Bearer error=insufficient_scope,scope=a", [["bearer", { error: "insufficient_scope", scope: "a" }]]],
      ["BEARER ERROR = \"x\" , Scope= y", [["bearer", { error: "x", scope: "y" }]]],
      ["Bearer realm=\"a, Basic b=\\\"c\\\"\", error=\"x\"", [["bearer", { realm: "a, Basic b=\"c\"", error: "x" }]]],
      [
        "Negotiate YWJj==, Bearer error=\"x\", Basic realm=\"z\"",
        [["negotiate", {}], ["bearer", { error: "x" }], ["basic", { realm: "z" }]]
      ],
      ["Negotiate, Bearer", [["negotiate", {}], ["bearer", {}]]],
      ["NTLM TlRMTVNTUAAB, Bearer scope=\"\"", [["ntlm", {}], ["bearer", { scope: "" }]]],
      ["Bearer error=insufficient_scope, scope=files:read", [[
        "bearer",
        { error: "insufficient_scope", scope: "files:read" }
      ]]],
      [", ,Bearer  error=\"x\",, ,scope=\"y\", ", [["bearer", { error: "x", scope: "y" }]]],
      [["Basic realm=\"a\"", "Bearer error=\"x\""], [["basic", { realm: "a" }], ["bearer", { error: "x" }]]],
      [[], []],
      ["", []]
    ]
    for (const [field, expected] of cases) assert.deepStrictEqual(read(field), expected, JSON.stringify(field))
  })

  it("rejects what the grammar does not allow", () => {
    const malformed = [
      "error=\"x\"",
      "Bearer error=\"x",
      "Bearer error=\"x\" scope=\"y\"",
      "Bearer scope=a b",
      "Bearer =x",
      "Bearer error=\"x\", error=\"y\"",
      "Bearer error=\"x\"; scope=\"y\"",
      "Bear\u00e9r",
      "Bearer error=\"a\nb\"",
      "\"Bearer\""
    ]
    for (const field of malformed) assert.isUndefined(parseChallenges(field), JSON.stringify(field))
    assert.isUndefined(parseChallenges(["Bearer error=\"x\"", "Bearer error=\"x"]))
  })

  it.effect.prop(
    "returns every parameter, with any text in its quotes and around its challenge",
    { value: Schema.String, before: Arbitrary.array(oneOf(["Basic realm=\"x\"", "Negotiate YQ=="])) },
    ({ before, value }) =>
      Effect.sync(() => {
        const text = value.replace(/[^\x20-\x7e]/g, "?")
        const field = [...before, `Bearer a="${text.replace(/["\\]/g, "\\$&")}", b=c`].join(", ")
        assert.deepStrictEqual(parseChallenges(field)?.at(-1)?.parameters, new Map([["a", text], ["b", "c"]]))
      })
  )
})

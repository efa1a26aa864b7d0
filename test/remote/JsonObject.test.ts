import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { own, parseJsonObject } from "../../src/remote/JsonObject.ts"

const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`

const outcome = (text: string): unknown =>
  Result.match(parseJsonObject(text), { onFailure: (p) => p, onSuccess: () => "ok" })

describe("parseJsonObject", () => {
  it("accepts objects and nothing else", () => {
    assert.strictEqual(outcome(" {\"a\": 1} "), "ok")
    assert.strictEqual(outcome("{}"), "ok")
    for (const text of ["[]", "1", "null", "\"a\"", "true"]) assert.strictEqual(outcome(text), "NotAnObject")
    for (const text of ["", "{", "{\"a\"}", "{\"a\":1,}", "{'a':1}", "\ufeff{}", "{}{}", "\"", "{\"\\"]) {
      assert.strictEqual(outcome(text), "NotJson", text)
    }
  })

  it("rejects equal names at the top level, however they are escaped", () => {
    for (
      const text of [
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\" : 1 , \"b\":{}, \"a\"\n:2}",
        "{\"__proto__\":1,\"__proto__\":2}",
        "{\"\":1,\"\":2}",
        "{\"a\\\"b\":1,\"a\\u0022b\":1}"
      ]
    ) {
      assert.strictEqual(outcome(text), "DuplicateMember", text)
    }
    for (
      const text of [
        "{\"a\":1,\"A\":1}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "{\"a\":\"a\",\"b\":\"a\"}",
        "{\"a\":[{\"x\":1},{\"x\":1}]}",
        "{\"a\":\"\\\"a\\\":\",\"b\":\"{\\\\\"}",
        "{\"a\":\"}\",\"b\":\"{[\"}"
      ]
    ) {
      assert.strictEqual(outcome(text), "ok", text)
    }
  })

  it("JOSE-27 CLM-19 rejects more than 64 levels without using the stack", () => {
    assert.strictEqual(outcome(nested(64)), "ok")
    assert.strictEqual(outcome(nested(65)), "TooDeep")
    assert.strictEqual(outcome(nested(500_000)), "TooDeep")
    assert.strictEqual(outcome(`{"a":"${"[".repeat(1_000)}"}`), "ok")
  })

  it("CLM-17 reads own members only", () => {
    const object = Result.getOrThrow(parseJsonObject("{\"__proto__\":{\"scope\":\"admin\"},\"a\":1}"))
    assert.strictEqual(own(object, "a"), 1)
    for (const name of ["scope", "toString", "constructor", "hasOwnProperty"]) assert.isUndefined(own(object, name))
  })

  it.effect.prop(
    "agrees with JSON.parse on every object that JSON.stringify writes",
    { record: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Array(Schema.String)])) },
    ({ record }) =>
      Effect.sync(() => {
        const text = JSON.stringify(record, null, 1)
        assert.deepStrictEqual(Result.getOrThrow(parseJsonObject(text)), JSON.parse(text))
      })
  )

  it.effect.prop(
    "finds every repeated name",
    { record: Schema.Record(Schema.String, Schema.String), name: Schema.String },
    ({ name, record }) =>
      Effect.sync(() => {
        const members = [...Object.entries(record), [name, "1"] as const]
          .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
        const expected = Object.hasOwn(record, name) ? "DuplicateMember" : "ok"
        assert.strictEqual(outcome(`{${members.join(",")}}`), expected)
        assert.strictEqual(outcome(`{${[...members, ...members].join(",")}}`), "DuplicateMember")
      })
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { jsonLine } from "../../src/node/jsonLine.ts"

/** What both loggers make of the entries of a program. */
const written = Effect.fnUntraced(function*(program: Effect.Effect<void>) {
  const ours: Array<string> = []
  const theirs: Array<string> = []
  const both = Logger.make((options) => {
    ours.push(jsonLine.log(options))
    theirs.push(Logger.formatJson.log(options))
  })
  yield* Effect.provide(program, Logger.layer([both]))
  return { ours, theirs }
})

const circular: Record<string, unknown> = {}
circular["self"] = circular

const programs: Readonly<Record<string, Effect.Effect<void>>> = {
  "a text": Effect.log("request"),
  "all levels": Effect.andThen(Effect.logError("one"), Effect.logWarning("two")),
  "plain annotations": Effect.annotateLogs(Effect.log("request"), {
    trace_id: "a\"b\n\u2028",
    status: 200,
    duration_ms: 1.5,
    ok: true,
    required_scopes: ["a", "b"],
    left_out: undefined
  }),
  "numbers that JSON has not": Effect.annotateLogs(Effect.log("request"), { status: Number.NaN, other: -0 }),
  "a lone surrogate": Effect.annotateLogs(Effect.log("\ud800"), { text: "\udfff" }),
  "what is secret": Effect.annotateLogs(Effect.log("request"), { token: Redacted.make("secret") }),
  "what refers to itself": Effect.annotateLogs(Effect.log("request"), { circular }),
  "values of other kinds": Effect.annotateLogs(Effect.log("request"), {
    big: 1n,
    none: null,
    list: [1]
  }),
  "several texts": Effect.log("one", "two"),
  "something else than a text": Effect.log({ a: 1 }),
  "a cause": Effect.logError("fault", Cause.die("broken")),
  "a span": Effect.withLogSpan(Effect.log("request"), "span")
}

describe("a log entry as a line of JSON", () => {
  for (const [name, program] of Object.entries(programs)) {
    it.effect(`is what Effect's own logger makes of it: ${name}`, () =>
      Effect.gen(function*() {
        const { ours, theirs } = yield* written(program)
        assert.isNotEmpty(ours)
        assert.deepStrictEqual(ours, theirs)
        assert.isFalse(ours.some((line) => line.includes("secret") || line.includes("\n")))
      }))
  }
})

import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { flatLine } from "../../src/log/flatLine.ts"
import { annotate, type LogNames, logNames } from "../../src/log/logFields.ts"
import { root } from "../node/support/builtProgram.ts"

/** The lines that a program logs. */
const linesOf = Effect.fnUntraced(function*(program: Effect.Effect<void>, names: LogNames = "default") {
  const lines: Array<string> = []
  const logger = Logger.map(flatLine(names), (line) => {
    lines.push(line)
  })
  yield* program.pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "All")
  )
  return lines
})

const parsed = (program: Effect.Effect<void>, names?: LogNames) =>
  Effect.map(linesOf(program, names), (lines) => lines.map((line): Record<string, unknown> => JSON.parse(line)))

const request = Effect.logInfo("request").pipe(annotate({
  trace_id: "t-1",
  http_method: "POST",
  path: "/mcp",
  status: 401,
  duration_ms: 1.5,
  error: "InvalidToken",
  required_scopes: ["a", "b"],
  client: undefined
}))

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const circular: Record<string, unknown> = {}
circular["self"] = circular

describe("a log entry as a line", () => {
  it.effect("has the gateway's own names", () =>
    Effect.gen(function*() {
      const [{ time: written, ...line } = {}] = yield* parsed(request)
      assert.match(String(written), time)
      assert.deepStrictEqual(line, {
        level: "INFO",
        message: "request",
        trace_id: "t-1",
        http_method: "POST",
        path: "/mcp",
        status: 401,
        duration_ms: 1.5,
        error: "InvalidToken",
        required_scopes: ["a", "b"]
      })
    }))

  it.effect("has the names of the Elastic Common Schema, and its unit of durations", () =>
    Effect.gen(function*() {
      const [{ "@timestamp": written, ...line } = {}] = yield* parsed(request, "ecs")
      assert.match(String(written), time)
      assert.deepStrictEqual(line, {
        "log.level": "info",
        message: "request",
        "ecs.version": "8.17.0",
        "service.name": "mcp-authorizer",
        "trace.id": "t-1",
        "http.request.method": "POST",
        "url.path": "/mcp",
        "http.response.status_code": 401,
        "event.duration": 1_500_000,
        "error.type": "InvalidToken",
        "mcp_authorizer.required_scopes": ["a", "b"]
      })
    }))

  it.effect("has the names of OpenTelemetry", () =>
    Effect.gen(function*() {
      const [{ timestamp: written, ...line } = {}] = yield* parsed(request, "otel")
      assert.match(String(written), time)
      assert.deepStrictEqual(line, {
        severity_text: "INFO",
        severity_number: 9,
        body: "request",
        trace_id: "t-1",
        "http.request.method": "POST",
        "url.path": "/mcp",
        "http.response.status_code": 401,
        "mcp_authorizer.duration_ms": 1.5,
        "error.type": "InvalidToken",
        "mcp_authorizer.required_scopes": ["a", "b"]
      })
    }))

  it.effect("names the span that it was written in, and its trace where the entry has no other", () =>
    Effect.gen(function*() {
      const inSpan = Effect.flatMap(Effect.currentSpan, (span) => Effect.as(Effect.log("in a span"), span)).pipe(
        Effect.orDie
      )
      const lines = yield* parsed(
        Effect.withSpan(Effect.andThen(inSpan, Effect.annotateLogs(Effect.log("traced"), "trace_id", "t-1")), "name")
      )
      assert.match(String(lines[0]?.["span_id"]), /^[0-9a-f]{16}$/)
      assert.match(String(lines[0]?.["trace_id"]), /^[0-9a-f]{32}$/)
      assert.deepInclude(lines[1], { span_id: lines[0]?.["span_id"], trace_id: "t-1" })
    }))

  const programs: Readonly<Record<string, Effect.Effect<void>>> = {
    "what is secret": Effect.annotateLogs(Effect.log("request"), { token: Redacted.make("secret") }),
    "what refers to itself": Effect.annotateLogs(Effect.log("request"), { circular }),
    "values of other kinds": Effect.annotateLogs(Effect.log("request"), { big: 1n, none: null, list: [1] }),
    "objects": Effect.annotateLogs(Effect.log("request"), { a: { b: { c: 1 } } }),
    "several texts": Effect.log("one", "two"),
    "something else than a text": Effect.log({ a: 1 }),
    "a cause": Effect.logError("fault", Cause.die("broken")),
    "a span of the log": Effect.withLogSpan(Effect.log("request"), "span"),
    "line breaks": Effect.annotateLogs(Effect.log("a\nb"), { trace_id: "a\"b\n\u2028" }),
    "a lone surrogate": Effect.annotateLogs(Effect.log("\ud800"), { text: "\udfff" }),
    "numbers that JSON has not": Effect.annotateLogs(Effect.log("request"), { status: Number.NaN, other: -0 })
  }

  for (const [name, program] of Object.entries(programs)) {
    for (const names of logNames) {
      it.effect(`is flat, whole and without secrets: ${name} (${names})`, () =>
        Effect.gen(function*() {
          const [line = "", ...more] = yield* linesOf(program, names)
          assert.isEmpty(more)
          assert.notInclude(line, "secret")
          assert.notInclude(line, "\n")
          for (const [field, value] of Object.entries(JSON.parse(line))) {
            assert.isFalse(typeof value === "object" && value !== null && !Array.isArray(value), field)
            assert.notMatch(field, /fiber|annotations|spans/)
          }
        }))
    }
  }

  it.effect("shows what a cause says, members of objects, and every text", () =>
    Effect.gen(function*() {
      const [cause, object, texts] = yield* parsed(
        Effect.all([
          Effect.logError("fault", Cause.die("broken")),
          Effect.annotateLogs(Effect.log("request"), { a: { b: { c: 1 } } }),
          Effect.log("one", "two")
        ], { discard: true })
      )
      assert.include(String(cause?.["cause"]), "broken")
      assert.deepInclude(object, { "a.b.c": 1 })
      assert.deepInclude(texts, { message: `["one","two"]` })
    }))

  it.effect("does not let a field of an embedder's entry take the place of what every line has", () =>
    Effect.gen(function*() {
      const entry = Effect.annotateLogs(Effect.log("request"), { time: "then", level: "LOW", message: "mine" })
      const [line] = yield* parsed(entry)
      assert.deepInclude(line, { level: "INFO", message: "request", "field.level": "LOW", "field.message": "mine" })
      for (const names of ["ecs", "otel"] as const) {
        const [other] = yield* parsed(entry, names)
        assert.deepInclude(other, { "mcp_authorizer.level": "LOW", "mcp_authorizer.message": "mine" })
      }
    }))
})

describe("the fields of log lines", () => {
  it("are put there by the one function that takes documented names only", () => {
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".ts")
    )
    const others = files.filter((path) =>
      /\.annotateLogs\(|updateService\(\s*References\.CurrentLogAnnotations/.test(
        readFileSync(join(root, "src", path), "utf8")
      )
    )
    // The first one adds to what a handler of an embedder logs; its names are those of the second.
    assert.deepStrictEqual(others.toSorted(), ["embed/serveAdmitted.ts", "log/logFields.ts"])
  })
})

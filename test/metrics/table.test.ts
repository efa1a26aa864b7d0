import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { KeySetState } from "../../src/keys/keySetState.ts"
import { BoundedNames } from "../../src/metrics/BoundedNames.ts"
import { lastingPoints, mergePoints, type MetricPoint, readPoints } from "../../src/metrics/MetricPoint.ts"
import { formatPoints, prometheusName, prometheusSeries } from "../../src/metrics/prometheus.ts"
import { counter, gauge, histogram } from "../../src/metrics/series.ts"
import { metricNames, metrics } from "../../src/metrics/table.ts"
import { observeKeys } from "../../src/verify/keyGauges.ts"

const units = /^(?:s|By|1|\{[a-z]+\})$/

describe("the table of metrics", () => {
  it("MET-07 MUST name metrics as OpenTelemetry and Prometheus do, each once", () => {
    for (const name of metricNames) {
      const { help, kind, labels, unit } = metrics[name]
      assert.match(name, /^(?:mcp_authorizer|process|nodejs|v8js)(?:\.[a-z0-9]+(?:_[a-z]+)*)+$/)
      assert.match(unit, units, name)
      assert.match(help, /^[A-Z].*\.$/, name)
      const own = prometheusName(name)
      assert.match(own, /^[a-z]+(?:_[a-z0-9]+)*$/)
      assert.strictEqual(own.endsWith("_total"), kind === "counter", own)
      if (unit === "s" && kind !== "counter") assert.match(own, /_seconds$/)
      if (unit === "By") assert.match(own, /_bytes$/)
      for (const label of Object.keys(labels)) assert.match(label, /^(?!le$|quantile$|job$|instance$)[a-z]+$/)
    }
    const all = metricNames.flatMap(prometheusSeries)
    assert.strictEqual(new Set(all).size, all.length)
  })

  it("boundaries of histograms rise", () => {
    for (const name of metricNames) {
      const row = metrics[name]
      if (row.kind !== "histogram") continue
      assert.deepStrictEqual([...row.boundaries], row.boundaries.toSorted((one, other) => one - other))
      assert.isAbove(row.boundaries.length, 5)
    }
  })
})

/** The counts of one process. */
const processWith = (requests: number, millis: ReadonlyArray<number>, age: number): ReadonlyArray<MetricPoint> => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  counter("mcp_authorizer.audit.entries", { outcome: "written" }).updateUnsafe(requests, context)
  const duration = histogram("mcp_authorizer.upstream.duration", { server: "default" })
  for (const one of millis) duration.updateUnsafe(one / 1000, context)
  gauge("mcp_authorizer.open_streams", { server: "default" }).updateUnsafe(requests, context)
  gauge("mcp_authorizer.key.age", { provider: "p", source: "https://idp.example" }).updateUnsafe(age, context)
  gauge("process.start_time", {}).updateUnsafe(1000 - requests, context)
  return readPoints(context)
}

describe("the values of several processes", () => {
  it("MET-08 MUST be added, or be the highest or lowest, as the table says, in any order, and through JSON", () => {
    const one = processWith(3, [2, 400], 10)
    const other = processWith(4, [2, 9_000, 400_000], 70)
    for (const parts of [[one, other], [other, one], JSON.parse(JSON.stringify([one, other]))]) {
      const text = formatPoints(mergePoints(parts))
      assert.include(text, "mcp_authorizer_audit_entries_total{outcome=\"written\"} 7\n")
      assert.include(text, "mcp_authorizer_open_streams{server=\"default\"} 7\n")
      assert.include(text, "mcp_authorizer_key_age_seconds{provider=\"p\",source=\"https://idp.example\"} 70\n")
      assert.include(text, "process_start_time_seconds 996\n")
      assert.include(text, "mcp_authorizer_upstream_duration_seconds_bucket{server=\"default\",le=\"0.0025\"} 2\n")
      assert.include(text, "mcp_authorizer_upstream_duration_seconds_bucket{server=\"default\",le=\"0.5\"} 3\n")
      assert.include(text, "mcp_authorizer_upstream_duration_seconds_bucket{server=\"default\",le=\"+Inf\"} 5\n")
      assert.include(text, "mcp_authorizer_upstream_duration_seconds_count{server=\"default\"} 5\n")
      assert.match(text, /mcp_authorizer_upstream_duration_seconds_sum\{server="default"\} 409\.404/)
    }
  })

  it("of a process that has ended, counters and histograms stay, and gauges go", () => {
    const text = formatPoints(mergePoints([lastingPoints(processWith(3, [2], 10)), processWith(1, [], 5)]))
    assert.include(text, "mcp_authorizer_audit_entries_total{outcome=\"written\"} 4\n")
    assert.include(text, "mcp_authorizer_open_streams{server=\"default\"} 1\n")
    assert.include(text, "mcp_authorizer_upstream_duration_seconds_count{server=\"default\"} 1\n")
    assert.include(text, "process_start_time_seconds 999\n")
  })

  it("show nothing that another part of the program measures, and no value that is not finite", () => {
    const context = Context.make(Metric.MetricRegistry, new Map())
    Metric.counter("secrets", { attributes: { token: "canary" } }).updateUnsafe(1, context)
    gauge("process.open_file_descriptor.count", {}).updateUnsafe(Number.NaN, context)
    assert.deepStrictEqual(readPoints(context), [])
    assert.strictEqual(formatPoints([]), "")
  })
})

describe("names that callers choose", () => {
  it("are shown up to a bound, which callers that were rejected do not use up; names of the settings always are", () => {
    const names = new BoundedNames(2, ["configured", "with \"quotes\""], new Set())
    assert.strictEqual(names.labelOf("stranger", false), "other")
    assert.deepStrictEqual(["a", "b", "c", "a"].map((name) => names.labelOf(name, true)), ["a", "b", "other", "a"])
    assert.strictEqual(names.labelOf("configured", false), "configured")
    for (const odd of ["with \"quotes\"", "", "a b", "a\n", "é", "x".repeat(65)]) {
      assert.strictEqual(new BoundedNames(9, [odd], new Set()).labelOf(odd, true), "other", odd)
    }
  })
})

describe("the keys of a provider", () => {
  it.effect("are observed while the scope lives: age, time since they expired, phase and failures", () =>
    Effect.gen(function*() {
      let state: KeySetState = {
        source: "https://idp.example",
        phase: "fresh",
        keys: [],
        skipped: [],
        fetchedIn: -2_000,
        freshUntilIn: 298_000,
        failures: 0
      }
      const text = Effect.map(Effect.context<never>(), (context) => formatPoints(readPoints(context)))
      const labels = "{provider=\"idp\",source=\"https://idp.example\"}"
      yield* Effect.scoped(Effect.gen(function*() {
        yield* observeKeys({ name: "idp", keySets: Effect.sync(() => [state]) })
        const fresh = yield* text
        assert.include(fresh, `mcp_authorizer_key_age_seconds${labels} 2\n`)
        assert.include(fresh, `mcp_authorizer_key_overdue_seconds${labels} 0\n`)
        assert.include(fresh, "mcp_authorizer_key_fetches_total{provider=\"idp\",outcome=\"failure\"} 0\n")
        assert.include(fresh, `phase="fresh"} 1\n`)
        state = { ...state, phase: "stale", freshUntilIn: -90_000, failures: 3 }
        const stale = yield* text
        assert.include(stale, `mcp_authorizer_key_overdue_seconds${labels} 90\n`)
        assert.include(stale, `mcp_authorizer_key_failures${labels} 3\n`)
        assert.include(stale, `phase="stale"} 1\n`)
        assert.include(stale, `phase="fresh"} 0\n`)
      }))
      assert.notInclude(yield* text, "mcp_authorizer_key_age")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})

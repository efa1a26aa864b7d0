/** The alerts and the dashboard, as a real Prometheus understands them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile, spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as realTime } from "node:timers/promises"
import { prometheusSeries } from "../../src/metrics/prometheus.ts"
import { type MetricName, metricNames, metrics } from "../../src/metrics/table.ts"
import { ping, toolCall } from "../fixtures/messages.ts"
import { root } from "../node/support/builtProgram.ts"
import { startGatewayProgram, staticSettings } from "../node/support/GatewayProgram.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { alertCases } from "./alertCases.ts"

const folder = join(root, "src/deploy/prometheus")

const alertsText = readFileSync(join(folder, "alerts.yml"), "utf8")

/** The expressions of the alerts: one line, or a block. */
const alertExpressions = [...alertsText.matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(
  ([, block, line]) => (block ?? line ?? "").replace(/\s+/g, " ").trim()
)

const alertNames = [...alertsText.matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name)

interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
}

const dashboard: {
  readonly panels: ReadonlyArray<Panel>
  readonly templating: { readonly list: ReadonlyArray<{ readonly name: string; readonly definition?: string }> }
} = JSON.parse(readFileSync(join(root, "src/deploy/grafana/dashboard.json"), "utf8"))

const panelTargets = dashboard.panels.flatMap(({ targets = [] }) => targets)

/** An expression of the dashboard, as Grafana sends it. */
const asSent = (expression: string): string =>
  expression.replaceAll("$__rate_interval", "1m").replaceAll(/\$(?:instance|server)/g, ".*")

const words = new Set([
  "and",
  "by",
  "histogram_quantile",
  "increase",
  "max",
  "max_over_time",
  "min",
  "rate",
  "sum",
  "topk",
  "up"
])

const ownerOf = new Map<string, MetricName>(
  metricNames.flatMap((name) => prometheusSeries(name).map((series) => [series, name] as const))
)

/** Labels that Prometheus adds. */
const common = new Set(["instance", "job", "le"])

/** The problems of the metrics and labels of an expression. */
const mistakes = (expression: string): ReadonlyArray<string> => {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, "\"\"").replace(/\[[^\]]*\]/g, "")
  const labels = [
    ...[...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = ""]) => inside.match(/[a-z_]+(?=\s*(?:=|!))/g) ?? []),
    ...[...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, inside = ""]) => inside.match(/[a-z_]+/g) ?? [])
  ]
  const names = bare.replace(/\{[^}]*\}/g, "").replace(/\bby \([^)]*\)/g, "").match(/[a-zA-Z_][a-zA-Z0-9_]*/g) ?? []
  const used = names.filter((name) => !words.has(name))
  const known = new Set(used.flatMap((series) => {
    const name = ownerOf.get(series)
    return name === undefined ? [] : Object.keys(metrics[name].labels)
  }))
  return [
    ...used.filter((series) => !ownerOf.has(series)).map((series) => `no metric ${series}`),
    ...labels.filter((label) => !known.has(label) && !common.has(label)).map((label) => `no label ${label}`)
  ]
}

/** Runs a program of Prometheus' package to its end. */
const run = (program: string, args: ReadonlyArray<string>, cwd: string, input?: string) =>
  Effect.promise(() =>
    new Promise<{ readonly code: number; readonly said: string }>((resolve, reject) => {
      const child = execFile(program, [...args], { cwd }, (error, stdout, stderr) => {
        if (error !== null && typeof error.code === "string") {
          reject(new Error(`${program} cannot be started: apt-get install prometheus`, { cause: error }))
        } else resolve({ code: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr })
      })
      child.stdin?.end(input ?? "")
    })
  )

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "prometheus-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("alerts and dashboard", () => {
  it("MET-09 MUST refer only to metrics and labels that exist", () => {
    assert.lengthOf(alertExpressions, alertNames.length)
    for (const expression of alertExpressions) assert.deepStrictEqual(mistakes(expression), [], expression)
    for (const { expr, legendFormat } of panelTargets) {
      assert.deepStrictEqual(mistakes(asSent(expr)), [], expr)
      // The expression keeps the labels that the legend shows.
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        if (expr.includes(" by (")) assert.match(expr, new RegExp(`by \\([^)]*\\b${label}\\b`), expr)
      }
    }
    for (const { definition = "" } of dashboard.templating.list) {
      const [, name = ""] = /label_values\((\w+)/.exec(definition) ?? []
      if (definition !== "") assert.isTrue(ownerOf.has(name), definition)
    }
    // The check finds what is wrong.
    assert.deepStrictEqual(mistakes(`sum by (color) (rate(mcp_authorizer_request_total{shape="x"}[5m]))`), [
      "no metric mcp_authorizer_request_total",
      "no label shape",
      "no label color"
    ])
  })

  it("the dashboard shows every metric, and its panels do not overlap", () => {
    const shown = panelTargets.map(({ expr }) => expr).join(" ")
    const isShown = (name: MetricName) => prometheusSeries(name).some((series) => shown.includes(series))
    assert.deepStrictEqual(metricNames.filter((name) => !isShown(name)), [])
    const cells = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, index) => `${x + index % w},${y + Math.floor(index / w)}`)
    )
    assert.strictEqual(new Set(cells).size, cells.length)
    for (const { gridPos: { w, x } } of dashboard.panels) assert.isAtMost(x + w, 24)
  })

  it("every alert has a summary, what to do, and cases in which it fires and does not", () => {
    assert.lengthOf(alertsText.match(/ summary: "/g) ?? [], alertNames.length)
    assert.lengthOf(alertsText.match(/ action: "/g) ?? [], alertNames.length)
    assert.deepStrictEqual(Object.keys(alertCases).toSorted(), alertNames.toSorted())
  })

  it.live(
    "MET-10 MUST be accepted by Prometheus, and each alert MUST fire when it should and not otherwise",
    () =>
      Effect.gen(function*() {
        const directory = yield* scratch
        cpSync(folder, directory, { recursive: true })
        const config = yield* run("promtool", ["check", "config", "prometheus.yml"], directory)
        assert.strictEqual(config.code, 0, config.said)
        const test = {
          rule_files: ["alerts.yml"],
          evaluation_interval: "1m",
          tests: Object.entries(alertCases).flatMap(([alertname, { fires, quiet }]) =>
            [fires, quiet].map((series, index) => ({
              name: `${alertname} ${index === 0 ? "fires" : "is quiet"}`,
              interval: "1m",
              input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
              // A firing alert is detected by the number of its series, so that labels and texts may change.
              promql_expr_test: [{
                expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"}) or vector(0)`,
                eval_time: "60m",
                exp_samples: [{ labels: "{}", value: index === 0 ? 1 : 0 }]
              }]
            }))
          )
        }
        writeFileSync(join(directory, "test.yml"), JSON.stringify(test))
        const { code, said } = yield* run("promtool", ["test", "rules", "test.yml"], directory)
        assert.strictEqual(code, 0, said)
      }),
    { timeout: 60_000 }
  )

  it.live(
    "MET-11 MUST be read by a real Prometheus, which evaluates every alert and every panel",
    () =>
      Effect.gen(function*() {
        const directory = yield* scratch
        const upstream = yield* makeRecordingUpstream
        const gateway = yield* startGatewayProgram({
          env: { ...staticSettings(upstream.origin), MCP_ADMIN_PORT: "0" },
          args: ["--workers", "2"]
        })
        const [, admin = ""] = yield* gateway.awaitOutput(/"admin":"(http:[^"]+)"/)
        const call = (body: string, token: string) =>
          Effect.promise(() =>
            fetch(`${gateway.origin}/mcp`, {
              method: "POST",
              headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
              body
            }).then((response) => response.text())
          )
        yield* Effect.forEach([ping, toolCall("greet"), ping], (body) => call(body, "dev-token"))
        yield* call(ping, "wrong")
        const text = yield* Effect.promise(() => fetch(`${admin}/metrics`).then((response) => response.text()))
        // Prometheus' own linter: names, units, help texts.
        const linted = yield* run("promtool", ["check", "metrics"], directory, text)
        assert.strictEqual(linted.code, 0, linted.said)

        cpSync(folder, directory, { recursive: true })
        const config = readFileSync(join(directory, "prometheus.yml"), "utf8")
          .replaceAll("15s", "1s").replace("127.0.0.1:9464", new URL(admin).host)
        writeFileSync(join(directory, "prometheus.yml"), config)
        const port = yield* reservePort
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn("prometheus", [
              "--config.file=prometheus.yml",
              `--storage.tsdb.path=${join(directory, "data")}`,
              `--web.listen-address=127.0.0.1:${port}`
            ], { cwd: directory, stdio: "ignore" })
          ),
          (child) =>
            Effect.callback<void>((resume) => {
              child.once("exit", () => resume(Effect.void))
              child.kill("SIGKILL")
            })
        )
        const api = async (path: string) => {
          const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => undefined)
          // While it starts, it responds with a text.
          return response?.ok === true ? await response.json() : undefined
        }
        const ask = (expression: string) => api(`query?query=${encodeURIComponent(expression)}`)
        yield* Effect.promise(async () => {
          while (
            (await ask("rate(mcp_authorizer_requests_total[1m])"))?.data?.result?.length === 0 ||
            (await ask("up"))?.data === undefined
          ) await realTime(100)
          const total = await ask(`sum(mcp_authorizer_requests_total{method="tools/call"})`)
          assert.strictEqual(total.data.result[0].value[1], "1")
          const processes = await ask("mcp_authorizer_processes")
          assert.strictEqual(processes.data.result[0].value[1], "3")
          for (const { expr } of panelTargets) assert.strictEqual((await ask(asSent(expr)))?.status, "success", expr)
          let rules = await api("rules")
          const group = () =>
            rules.data.groups[0].rules as ReadonlyArray<{ name: string; health: string; state: string }>
          while (group().some(({ health }) => health === "unknown")) {
            await realTime(100)
            rules = await api("rules")
          }
          assert.deepStrictEqual(group().filter(({ health }) => health !== "ok"), [])
          assert.deepStrictEqual(group().filter(({ state }) => state === "firing").map(({ name }) => name), [])
        })
      }),
    { timeout: 120_000 }
  )
})

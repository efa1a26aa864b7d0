/** The Prometheus text format of metrics. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type { MetricPoint } from "./MetricPoint.ts"
import { isMetricName, type MetricName, metricNames, metrics } from "./table.ts"

export const prometheusType = "text/plain; version=0.0.4; charset=utf-8"

const unitSuffixes: ReadonlyMap<string, string> = new Map([["s", "_seconds"], ["By", "_bytes"]])

/**
 * The name of a metric in Prometheus: underscores for dots, the unit, and `_total` for counters.
 *
 * @see OpenTelemetry, "Prometheus and OpenMetrics Compatibility", metric metadata
 */
export const prometheusName = (name: MetricName): string => {
  const { kind, prometheus, unit } = metrics[name]
  return prometheus ??
    `${name.replaceAll(".", "_")}${unitSuffixes.get(unit) ?? ""}${kind === "counter" ? "_total" : ""}`
}

/** All names under which Prometheus stores a metric: a histogram has three. */
export const prometheusSeries = (name: MetricName): ReadonlyArray<string> => {
  const own = prometheusName(name)
  return metrics[name].kind === "histogram" ? [`${own}_bucket`, `${own}_sum`, `${own}_count`] : [own]
}

const types = { counter: "Counter", gauge: "Gauge", histogram: "Histogram" } as const

const stateOf = ({ name, value }: MetricPoint): unknown => {
  switch (metrics[name].kind) {
    case "counter":
      return { count: value, incremental: true }
    case "gauge":
      return { value }
    case "histogram":
      return value
  }
}

const order = new Map<string, number>(metricNames.map((name, index) => [name, index]))
const inOrder = (one: MetricPoint, other: MetricPoint): number =>
  (order.get(one.name) ?? 0) - (order.get(other.name) ?? 0)

/** Writes values in the format of Prometheus, in the order of the table. */
export const formatPoints = (points: ReadonlyArray<MetricPoint>): string => {
  const registry: Metric.MetricRegistry = new Map(
    points.toSorted(inOrder).map((point, index) => [String(index), {
      id: point.name,
      type: types[metrics[point.name].kind],
      description: metrics[point.name].help,
      attributes: point.attributes,
      hooks: { get: () => stateOf(point), update: () => undefined, modify: () => undefined }
    }])
  )
  return PrometheusMetrics.formatUnsafe(Context.make(Metric.MetricRegistry, registry), {
    metricNameMapper: (id) => isMetricName(id) ? prometheusName(id) : id
  })
}

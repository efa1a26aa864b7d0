import type { MetricsData } from "effect/observability/OtlpMetrics"
import { isMetricName, metrics } from "../../metrics/table.ts"

type Metric = MetricsData["resourceMetrics"][number]["scopeMetrics"][number]["metrics"][number]

interface Attributed {
  readonly attributes?: ReadonlyArray<{ readonly key: string }>
}

/** Removes the attribute in which Effect keeps the unit of a metric. */
const withoutUnit = <D extends { readonly dataPoints: ReadonlyArray<Attributed> }>(data: D): D => ({
  ...data,
  dataPoints: data.dataPoints.map(({ attributes = [], ...point }) => ({
    ...point,
    attributes: attributes.filter(({ key }) => key !== "unit")
  }))
})

const corrected = (metric: Metric): Metric => ({
  ...metric,
  ...(isMetricName(metric.name) ? { unit: metrics[metric.name].unit } : {}),
  ...(metric.sum === undefined ? {} : { sum: withoutUnit(metric.sum) }),
  ...(metric.gauge === undefined ? {} : { gauge: withoutUnit(metric.gauge) }),
  ...(metric.histogram === undefined ? {} : { histogram: withoutUnit(metric.histogram) })
})

/** Adds the units of the table to metrics. The exporter of Effect knows few, and writes them as attributes as well. */
export const withUnits = ({ resourceMetrics }: MetricsData): MetricsData => ({
  resourceMetrics: resourceMetrics.map((one) => ({
    ...one,
    scopeMetrics: one.scopeMetrics.map((scope) => ({ ...scope, metrics: scope.metrics.map(corrected) }))
  }))
})

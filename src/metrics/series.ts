/** The metrics of the table as Effect metrics, with their labels. */
import * as Metric from "effect/Metric"
import { type Labels, type MetricName, metrics, type NameOf } from "./table.ts"

/** Exporters take the unit of a metric from this attribute; counts have no unit. */
const unitOf = (unit: string): { readonly unit?: string } => unit === "s" || unit === "By" ? { unit } : {}

const options = <N extends MetricName>(name: N, labels: Labels<N>) => {
  const { help, unit } = metrics[name]
  return { description: help, attributes: { ...labels, ...unitOf(unit) } }
}

/** One series of a counter. Build it once, because its key is computed at the first update. */
export const counter = <N extends NameOf<"counter">>(name: N, labels: Labels<N>): Metric.Counter<number> =>
  Metric.counter(name, { ...options(name, labels), incremental: true })

export const gauge = <N extends NameOf<"gauge">>(name: N, labels: Labels<N>): Metric.Gauge<number> =>
  Metric.gauge(name, options(name, labels))

export const histogram = <N extends NameOf<"histogram">>(name: N, labels: Labels<N>): Metric.Histogram<number> => {
  const row = metrics[name]
  return Metric.histogram(name, {
    ...options(name, labels),
    boundaries: row.kind === "histogram" ? row.boundaries : []
  })
}

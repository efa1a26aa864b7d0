/** The values of metrics at one moment, as data: read from one process, sent to another, and merged. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Merge } from "./rows/MetricRow.ts"
import { isMetricName, type MetricName, metrics } from "./table.ts"

/** How many values did not exceed each boundary, and their sum. Contains no value that JSON cannot represent. */
export interface HistogramValue {
  /** The boundary, and the cumulative count. */
  readonly buckets: ReadonlyArray<readonly [number, number]>
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
}

export interface MetricPoint {
  readonly name: MetricName
  readonly attributes: Readonly<Record<string, string>>
  readonly value: number | HistogramValue
}

const pointOf = (snapshot: Metric.Metric.Snapshot): ReadonlyArray<MetricPoint> => {
  const { attributes = {}, id } = snapshot
  if (!isMetricName(id)) return []
  const pointWith = (value: number | HistogramValue) => [{ name: id, attributes, value }]
  switch (snapshot.type) {
    case "Counter":
      return pointWith(Number(snapshot.state.count))
    case "Gauge": {
      const value = Number(snapshot.state.value)
      return Number.isFinite(value) ? pointWith(value) : []
    }
    case "Histogram":
      return pointWith(snapshot.state)
    case "Frequency":
    case "Summary":
      return []
  }
}

/** The series of the gateway's own metrics in a registry, which may also contain those of an embedding program. */
export const readPoints = (context: Context.Context<never>): ReadonlyArray<MetricPoint> =>
  Metric.snapshotUnsafe(context).flatMap(pointOf)

const keyOf = ({ attributes, name }: MetricPoint): string =>
  JSON.stringify([name, Object.entries(attributes).toSorted(([a], [b]) => a < b ? -1 : 1)])

const addHistograms = (one: HistogramValue, other: HistogramValue): HistogramValue => ({
  // All processes run this program, so the boundaries are the same.
  buckets: one.buckets.map(([boundary, count], index) => [boundary, count + (other.buckets[index]?.[1] ?? 0)]),
  count: one.count + other.count,
  sum: one.sum + other.sum,
  min: Math.min(one.min, other.min),
  max: Math.max(one.max, other.max)
})

const combine: Readonly<Record<Merge, (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  max: Math.max,
  min: Math.min
}

const mergeOf = (name: MetricName): Merge => {
  const row = metrics[name]
  return row.kind === "gauge" ? row.merge : "sum"
}

const mergeTwo = (one: MetricPoint, other: MetricPoint): MetricPoint => {
  if (typeof one.value === "number" && typeof other.value === "number") {
    return { ...one, value: combine[mergeOf(one.name)](one.value, other.value) }
  }
  return typeof one.value === "number" || typeof other.value === "number"
    ? one
    : { ...one, value: addHistograms(one.value, other.value) }
}

export const mergePoints = (
  processes: Iterable<ReadonlyArray<MetricPoint>>
): ReadonlyArray<MetricPoint> => {
  const merged = new Map<string, MetricPoint>()
  for (const points of processes) {
    for (const point of points) {
      const key = keyOf(point)
      const present = merged.get(key)
      merged.set(key, present === undefined ? point : mergeTwo(present, point))
    }
  }
  return [...merged.values()]
}

/** The metrics of a process that has ended: counters and histograms. Its gauges are no longer meaningful. */
export const lastingPoints = (points: ReadonlyArray<MetricPoint>): ReadonlyArray<MetricPoint> =>
  points.filter(({ name }) => metrics[name].kind !== "gauge")

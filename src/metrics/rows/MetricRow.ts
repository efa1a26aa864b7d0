/** One row of the table of metrics. */
/** How the values of several processes are combined. Counters and histograms are always added. */
export type Merge = "sum" | "max" | "min"

interface CommonRow {
  /** UCUM: `s`, `By`, `{request}`, `1`. */
  readonly unit: string
  /** One sentence for people who read a dashboard. */
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  /** The name that Prometheus' own client libraries use, if it is not the derived one. */
  readonly prometheus?: string
}

/** A number that only grows. */
export interface CounterRow extends CommonRow {
  readonly kind: "counter"
}

/** A number that goes up and down. */
export interface GaugeRow extends CommonRow {
  readonly kind: "gauge"
  readonly merge: Merge
}

/** How many values did not exceed each boundary. */
export interface HistogramRow extends CommonRow {
  readonly kind: "histogram"
  readonly boundaries: ReadonlyArray<number>
}

export type MetricRow = CounterRow | GaugeRow | HistogramRow

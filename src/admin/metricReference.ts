import { markdownTable } from "../config/markdownTable.ts"
import { prometheusName } from "../metrics/prometheus.ts"
import { type MetricName, metricNames, metrics } from "../metrics/table.ts"

const code = (text: string): string => `\`${text}\``

const labelsOf = (name: MetricName): string =>
  Object.entries(metrics[name].labels).map(([label, values]) => `${code(label)}: ${values}`).join("; ")

/** The reference of all metrics, as a Markdown table. */
export const metricReference = (): string =>
  markdownTable(
    ["Prometheus", "OpenTelemetry", "Kind", "Unit", "Labels", "Meaning"],
    metricNames.map((name) => {
      const { help, kind, unit } = metrics[name]
      return [code(prometheusName(name)), code(name), kind, code(unit), labelsOf(name), help]
    })
  )

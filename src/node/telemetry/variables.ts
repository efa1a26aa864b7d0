/** The variables of OpenTelemetry that are read, for the reference. Pure. */
import { markdownTable } from "../../config/markdownTable.ts"
import { signals } from "./Telemetry.ts"

/** The meaning of a variable, in Markdown. */
interface Variable {
  readonly name: string
  readonly unset: string
  readonly meaning: string
  /** Whether there is one for each signal, which takes precedence: `OTEL_EXPORTER_OTLP_TRACES_HEADERS`. */
  readonly perSignal?: true
}

const variables: ReadonlyArray<Variable> = [
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    unset: "",
    meaning:
      "the collector, http or https; `/v1/traces`, `/v1/metrics` and `/v1/logs` are added. The one for a signal is used as it is",
    perSignal: true
  },
  {
    name: "OTEL_TRACES_EXPORTER",
    unset: "",
    meaning: "`none` switches traces off; `otlp` without an endpoint sends them to `http://localhost:4318`"
  },
  { name: "OTEL_METRICS_EXPORTER", unset: "", meaning: "the same for metrics" },
  { name: "OTEL_LOGS_EXPORTER", unset: "", meaning: "the same for log lines" },
  { name: "OTEL_SDK_DISABLED", unset: "`false`", meaning: "`true` switches everything off" },
  {
    name: "OTEL_EXPORTER_OTLP_PROTOCOL",
    unset: "`http/protobuf`",
    meaning: "or `http/json`; `grpc` is not supported, and prevents the start",
    perSignal: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    unset: "",
    meaning: "further header fields, such as `authorization=Bearer%20…`; shown nowhere",
    perSignal: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_COMPRESSION",
    unset: "`none`",
    meaning: "or `gzip`, for requests of 1 KB and more",
    perSignal: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_TIMEOUT",
    unset: "`10000`",
    meaning: "how long a request may take, in milliseconds",
    perSignal: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_CERTIFICATE",
    unset: "",
    meaning:
      "a file with the authorities (PEM) that sign the collector's certificate; they take the place of the system's",
    perSignal: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    unset: "",
    meaning: "a file with a certificate (PEM) for the collector",
    perSignal: true
  },
  { name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", unset: "", meaning: "the file with its key", perSignal: true },
  { name: "OTEL_SERVICE_NAME", unset: "`mcp-authorizer`", meaning: "the attribute `service.name`" },
  {
    name: "OTEL_RESOURCE_ATTRIBUTES",
    unset: "",
    meaning: "further attributes of all that is exported: `deployment.environment.name=staging,team=a`"
  },
  {
    name: "OTEL_TRACES_SAMPLER",
    unset: "`parentbased_always_on`",
    meaning:
      "`always_on`, `always_off`, `traceidratio`, or the same with `parentbased_`: then the caller decides where it has sent a `traceparent`"
  },
  { name: "OTEL_TRACES_SAMPLER_ARG", unset: "`1`", meaning: "the share of traces for `traceidratio`, from 0 to 1" },
  {
    name: "OTEL_PROPAGATORS",
    unset: "`tracecontext,baggage`",
    meaning: "`none` keeps the gateway's traces apart from those of its callers; `baggage` passes unchanged in any case"
  },
  { name: "OTEL_BSP_SCHEDULE_DELAY", unset: "`5000`", meaning: "how long a span may wait for others, in milliseconds" },
  { name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", unset: "`512`", meaning: "the spans of one request" },
  {
    name: "OTEL_BSP_MAX_QUEUE_SIZE",
    unset: "`2048`",
    meaning: "the spans that may wait in all; further ones are dropped"
  },
  { name: "OTEL_BLRP_SCHEDULE_DELAY", unset: "`1000`", meaning: "the same for log lines" },
  { name: "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", unset: "`512`", meaning: "the same for log lines" },
  { name: "OTEL_BLRP_MAX_QUEUE_SIZE", unset: "`2048`", meaning: "the same for log lines" },
  { name: "OTEL_METRIC_EXPORT_INTERVAL", unset: "`60000`", meaning: "how often metrics are sent, in milliseconds" },
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    unset: "`cumulative`",
    meaning: "or `delta`, also as `lowmemory`"
  }
]

const ofSignals = (name: string): ReadonlyArray<string> =>
  signals.map((signal) => name.replace("OTEL_EXPORTER_OTLP_", `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_`))

export const variableNames: ReadonlySet<string> = new Set(
  variables.flatMap(({ name, perSignal }) => [name, ...perSignal === true ? ofSignals(name) : []])
)

/** Returns the table of the variables for the README. */
export const telemetryReference = (): string =>
  markdownTable(
    ["Variable", "Default", "Meaning"],
    variables.map(({ meaning, name, perSignal, unset }) => [
      `\`${name}\`${perSignal === true ? " ¹" : ""}`,
      unset,
      meaning
    ])
  )

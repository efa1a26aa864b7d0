/**
 * Every metric of the gateway: the one table that recording, the Prometheus text, OTLP and the reference come from.
 *
 * Names, units and attributes are OpenTelemetry's; `prometheus.ts` derives the names that Prometheus has. Each label has a
 * bounded number of values, and none of them comes from a token.
 */

/** How the values of several processes become one. Counters and histograms are always added. */
export type Merge = "sum" | "max" | "min"

interface CommonRow {
  /** UCUM: `s`, `By`, `{request}`, `1`. */
  readonly unit: string
  /** One sentence for people who read a dashboard. */
  readonly help: string
  /** The labels, and what their values are. */
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

/** How often values were at most as high as each boundary. */
export interface HistogramRow extends CommonRow {
  readonly kind: "histogram"
  readonly boundaries: ReadonlyArray<number>
}

export type MetricRow = CounterRow | GaugeRow | HistogramRow

/** Seconds, from a response out of memory to a tool that takes minutes. */
const requestSeconds = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300
] as const

/** Seconds, from a signature to a provider that hardly responds. */
const verificationSeconds = [
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10
] as const

const server = "the name of the MCP server; `default` where there is one, `none` for requests to none of several"

const methods =
  "the JSON-RPC method if MCP defines it, else `other`; `notification`, `response`, `batch`; `unread` if the body was not " +
  "read; `stream` (`GET`), `end` (`DELETE`), `metadata`, `probe`, `preflight`"

const table = {
  "mcp_authorizer.requests": {
    kind: "counter",
    unit: "{request}",
    help: "Requests whose response has ended, by what they asked for and what became of them.",
    labels: {
      server,
      method: methods,
      status: "the status of the response; 499 where the client left before there was one",
      reason: "`none`, or as `reason` or `error` in the log"
    }
  },
  "mcp_authorizer.request.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time from the arrival of a request to the end of its response.",
    labels: { server, method: methods },
    boundaries: requestSeconds
  },
  "mcp_authorizer.verification.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time to verify a token whose verdict was not in memory at once, with what the verification waited for.",
    labels: { server, outcome: "`accepted`, `rejected`, `unavailable`" },
    boundaries: verificationSeconds
  },
  "mcp_authorizer.upstream.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time from sending a request to the MCP server until the head of its response.",
    labels: { server },
    boundaries: requestSeconds
  },
  "mcp_authorizer.open_streams": {
    kind: "gauge",
    merge: "sum",
    unit: "{stream}",
    help: "Event streams from MCP servers to clients that are open.",
    labels: { server }
  },
  "mcp_authorizer.tool.calls": {
    kind: "counter",
    unit: "{call}",
    help: "Calls of tools, by what was decided about them.",
    labels: {
      server,
      tool: "the name of the tool: those in the settings, and the first 100 that were called and allowed; else `other`",
      decision: "as `decision` in the audit log"
    }
  },
  "mcp_authorizer.policy.errors": {
    kind: "counter",
    unit: "{decision}",
    help: "Conditions of rules that could not be computed, so that the message was denied.",
    labels: { server }
  },
  "mcp_authorizer.verdict.lookups": {
    kind: "counter",
    unit: "{lookup}",
    help: "Lookups of tokens in the cache of verdicts, by result.",
    labels: { outcome: "`hit`, `miss`" }
  },
  "mcp_authorizer.token.rejections": {
    kind: "counter",
    unit: "{token}",
    help: "Rejected tokens, by reason. InsufficientScope: by their provider; AccessDenied: by a verifier's policy; " +
      "ProviderUnavailable: no verdict.",
    labels: { reason: "as `reason` or `error` in the log" }
  },
  "mcp_authorizer.key.fetches": {
    kind: "counter",
    unit: "{fetch}",
    help: "Fetches of key sets, by outcome.",
    labels: { outcome: "`success`, `failure`" }
  },
  "mcp_authorizer.key.phases": {
    kind: "counter",
    unit: "{change}",
    help: "How often a key set came into each phase.",
    labels: { phase: "the phases of keys" }
  },
  "mcp_authorizer.key.stale_serves": {
    kind: "counter",
    unit: "{token}",
    help: "Tokens verified with expired keys, because the provider was down.",
    labels: {}
  },
  "mcp_authorizer.rate_limit.rejections": {
    kind: "counter",
    unit: "{request}",
    help: "Requests that were rejected because of a rate limit, by what the limit counts.",
    labels: { on: "`messages`, `failures`" }
  },
  "mcp_authorizer.store.failures": {
    kind: "counter",
    unit: "{request}",
    help: "Requests that the store of rate limits could not count, by what became of them.",
    labels: { outcome: "`open`, `closed`, `local`" }
  },
  "mcp_authorizer.audit.entries": {
    kind: "counter",
    unit: "{entry}",
    help: "Entries of the audit log, by result: written, or dropped because the file cannot be written.",
    labels: { outcome: "`written`, `dropped`" }
  },
  "mcp_authorizer.config.generation": {
    kind: "gauge",
    merge: "max",
    unit: "1",
    help: "The number of the configuration at work: 1 at start, one more with each reload.",
    labels: {}
  },
  "mcp_authorizer.config.reloads": {
    kind: "counter",
    unit: "{reload}",
    help: "How often the configuration was read again, by what came of it.",
    labels: { outcome: "`loaded`, `unchanged`, `rejected`" }
  },
  "mcp_authorizer.config.last_reload.successful": {
    kind: "gauge",
    merge: "min",
    unit: "1",
    help: "Whether the configuration could be used when it was read last: 1 or 0.",
    labels: {}
  },
  "mcp_authorizer.config.last_reload.success_timestamp": {
    kind: "gauge",
    merge: "max",
    unit: "s",
    help: "When the configuration was last read and could be used, in seconds since 1970.",
    labels: {}
  }
} as const satisfies Readonly<Record<string, MetricRow>>

type Table = typeof table

/** The name of a metric, as OpenTelemetry has it. */
export type MetricName = keyof Table

/** The metrics of one kind. */
export type NameOf<K extends MetricRow["kind"]> = {
  readonly [N in MetricName]: Table[N]["kind"] extends K ? N : never
}[MetricName]

/** A value for each label of a metric. */
export type Labels<N extends MetricName> = { readonly [L in keyof Table[N]["labels"]]: string }

/** The table, by name, in the order of the reference. */
export const metrics: { readonly [N in MetricName]: MetricRow } = table

/** The names in the order of the reference. */
// `Object.keys` has no narrower type; the table is a constant.
export const metricNames = Object.keys(table) as ReadonlyArray<MetricName>

/** Whether a metric is one of the table. */
export const isMetricName = (id: string): id is MetricName => Object.hasOwn(table, id)

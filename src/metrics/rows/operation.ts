/** The operation of the gateway: limits, logs, configurations, processes. */
import type { MetricRow } from "./MetricRow.ts"

/** The operation of the gateway: limits, logs, configurations, processes. */
export const operation = {
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
  "mcp_authorizer.store.operations": {
    kind: "counter",
    unit: "{operation}",
    help: "Operations on the entries that replicas share in the store, by what came of them.",
    labels: {
      operation: "`read`, `write`, `claim`",
      outcome: "`hit`, `miss`, `unusable`, `success`, `taken`, `failure`"
    }
  },
  "mcp_authorizer.store.up": {
    kind: "gauge",
    merge: "min",
    unit: "1",
    help: "Whether the store that replicas share can be used: 0 after a failure until an operation succeeds.",
    labels: { operation: "`read`, `write`" }
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
  },
  "mcp_authorizer.processes": {
    kind: "gauge",
    merge: "sum",
    unit: "{process}",
    help: "Processes whose values are in here: one, or all workers and their primary.",
    labels: {}
  },
  "mcp_authorizer.build.info": {
    kind: "gauge",
    merge: "max",
    unit: "1",
    help: "Always 1; the label has the version.",
    labels: { version: "the version of the gateway" }
  }
} as const satisfies Readonly<Record<string, MetricRow>>

import type { MetricRow } from "./MetricRow.ts"

/** The process and its runtime, under the names of OpenTelemetry and of Prometheus' own libraries. */
export const runtime = {
  "process.cpu.time": {
    kind: "counter",
    unit: "s",
    help: "Processor time that was used, by the system and by the program.",
    labels: {},
    prometheus: "process_cpu_seconds_total"
  },
  "process.memory.usage": {
    kind: "gauge",
    merge: "sum",
    unit: "By",
    help: "Resident memory.",
    labels: {},
    prometheus: "process_resident_memory_bytes"
  },
  "v8js.memory.heap.used": {
    kind: "gauge",
    merge: "sum",
    unit: "By",
    help: "Memory that JavaScript uses.",
    labels: {},
    prometheus: "nodejs_heap_size_used_bytes"
  },
  "process.open_file_descriptor.count": {
    kind: "gauge",
    merge: "sum",
    unit: "{descriptor}",
    help: "Open files and sockets.",
    labels: {},
    prometheus: "process_open_fds"
  },
  "process.open_file_descriptor.limit": {
    kind: "gauge",
    merge: "sum",
    unit: "{descriptor}",
    help: "How many files and sockets may be open.",
    labels: {},
    prometheus: "process_max_fds"
  },
  "process.open_file_descriptor.utilization": {
    kind: "gauge",
    merge: "max",
    unit: "1",
    help: "The part of its descriptors that is open in the process with the fewest left.",
    labels: {},
    prometheus: "process_open_fds_ratio"
  },
  "mcp_authorizer.client_connections": {
    kind: "gauge",
    merge: "sum",
    unit: "{connection}",
    help: "Open connections of clients.",
    labels: {}
  },
  "mcp_authorizer.client_connections.displaced": {
    kind: "counter",
    unit: "{connection}",
    help: "Connections of clients that were closed because `MCP_MAX_CLIENT_CONNECTIONS` was reached.",
    labels: {}
  },
  "nodejs.eventloop.delay.p99": {
    kind: "gauge",
    merge: "max",
    unit: "s",
    help: "How late the event loop was, in 99 of 100 cases of the last 10 seconds, in the process where that was most.",
    labels: {}
  },
  "nodejs.eventloop.delay.max": {
    kind: "gauge",
    merge: "max",
    unit: "s",
    help: "How late the event loop was at most in the last 10 seconds, in the process where that was most.",
    labels: {}
  },
  "nodejs.eventloop.utilization": {
    kind: "gauge",
    merge: "max",
    unit: "1",
    help: "The part of the last 10 seconds in which the event loop was busy, in the process where that was most.",
    labels: {},
    prometheus: "nodejs_eventloop_utilization_ratio"
  },
  "process.start_time": {
    kind: "gauge",
    merge: "min",
    unit: "s",
    help: "When the first of the processes started, in seconds since 1970.",
    labels: {}
  }
} as const satisfies Readonly<Record<string, MetricRow>>

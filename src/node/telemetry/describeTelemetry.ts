import type { Json } from "../../identity/Json.ts"
import { shownUrl } from "./Collector.ts"
import type { Batching, Export, Signal, Telemetry } from "./Telemetry.ts"

const describeExport = ({ compression, headers, protocol, timeoutMillis, url }: Export) => ({
  endpoint: shownUrl(url),
  protocol,
  compression,
  timeout_ms: timeoutMillis,
  headers: Object.fromEntries(Object.keys(headers).map((name) => [name, "(hidden)"]))
})

const describeBatching = ({ delayMillis, maxBatch, maxQueue }: Batching) => ({
  schedule_delay_ms: delayMillis,
  max_batch: maxBatch,
  max_queue: maxQueue
})

/** Describes what is exported, without secrets, for `--check`. */
export const describeTelemetry = (telemetry: Telemetry): { readonly [member: string]: Json } => {
  const { attributes, exports, logs, metricIntervalMillis, propagates, sampler, serviceName, spans, temporality } =
    telemetry
  const of = (signal: Signal, more: { readonly [member: string]: Json }) => {
    const target = exports[signal]
    return target === undefined ? "off" : { ...describeExport(target), ...more }
  }
  return {
    service_name: serviceName,
    resource_attributes: attributes,
    traces: of("traces", {
      ...describeBatching(spans),
      sampled_share: sampler.ratio,
      caller_decides: sampler.isParentBased
    }),
    metrics: of("metrics", { interval_ms: metricIntervalMillis, temporality }),
    logs: of("logs", describeBatching(logs)),
    propagates_trace_context: propagates
  }
}

import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpResource from "effect/observability/OtlpResource"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { flatEntry } from "../../log/flatLine.ts"
import { version } from "../../version.ts"

const traceIdForm = /^[0-9a-f]{32}$/

/** The members of a line, by OpenTelemetry's names, that are separate members of a record. */
const recordOf = (line: Readonly<Record<string, unknown>>) => {
  const { body, severity_number, severity_text, span_id, timestamp, trace_id, ...others } = line
  const nanos = `${Date.parse(String(timestamp))}000000`
  // The id of a request that is not traced can be anything.
  const isTraced = typeof span_id === "string" && typeof trace_id === "string" && traceIdForm.test(trace_id)
  const attributes = isTraced || trace_id === undefined ? others : { ...others, "mcp_authorizer.trace_id": trace_id }
  return {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: severity_number,
    severityText: severity_text,
    body: OtlpResource.unknownToAttributeValue(body),
    attributes: OtlpResource.entriesToAttributes(
      Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null)
    ),
    droppedAttributesCount: 0,
    ...(isTraced ? { traceId: trace_id, spanId: span_id } : {})
  }
}

/**
 * Builds the logger that exports the same entries that the log has, with the names of OpenTelemetry.
 *
 * Effect's own logger would export the names of annotations, and numbers of fibers.
 */
export const makeLogExporter = Effect.fnUntraced(function*(
  { resource, ...options }:
    & Pick<
      Parameters<typeof OtlpExporter.make>[0],
      "compression" | "exportInterval" | "headers" | "maxBatchSize" | "shutdownTimeout" | "url"
    >
    & { readonly resource: OtlpResource.Resource }
) {
  const serialization = yield* OtlpSerialization.OtlpSerialization
  const scope = { name: "mcp-authorizer", version }
  const exporter = yield* OtlpExporter.make({
    ...options,
    label: "OtlpLogger",
    body: (logRecords) => [
      serialization.logs({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] }),
      Effect.void
    ]
  })
  return Logger.map(flatEntry("otel"), (line) => exporter.push(recordOf(line)))
})

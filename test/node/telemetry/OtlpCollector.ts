/** A collector on the loopback interface that decodes what it receives over OTLP/HTTP, as JSON or as protobuf. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire"
import * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { gunzipSync } from "node:zlib"
import { listen } from "../../../src/issuer/LoopbackServer.ts"
import { eventually } from "../../fixtures/eventually.ts"

/** The values of attributes by their names. */
export type Attributes = Readonly<Record<string, unknown>>

export interface ReceivedSpan {
  readonly resource: Attributes
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly nanos: number
  readonly attributes: Attributes
  readonly status: number
  readonly events: ReadonlyArray<Attributes>
}

export interface ReceivedLog {
  readonly resource: Attributes
  readonly traceId: string
  readonly spanId: string
  readonly severity: string
  readonly body: unknown
  readonly attributes: Attributes
}

export interface ReceivedMetric {
  readonly resource: Attributes
  readonly name: string
  readonly unit: string
  readonly kind: "sum" | "gauge" | "histogram" | "other"
  readonly temporality: number
  readonly points: ReadonlyArray<{ readonly attributes: Attributes; readonly value: number }>
}

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  /** After decompression. */
  readonly bytes: Buffer
}

type Respond = (request: ReceivedRequest, response: ServerResponse) => void

// An object that was decoded from JSON, or from protobuf into the same form.
// oxlint-disable-next-line typescript/no-explicit-any -- the shape is what these tests are about
type Any = any

/** How a field of a message is read: its name in JSON, and its type. */
type Field = readonly [
  name: string,
  type: "string" | "hex" | "int" | "fixed64" | "double" | "doubles" | "counts" | "bool" | Schema
]

interface Schema {
  readonly fields: () => Readonly<Record<number, Field>>
  readonly repeated: ReadonlyArray<string>
}

const schema = (fields: () => Readonly<Record<number, Field>>, ...repeated: ReadonlyArray<string>): Schema => ({
  fields,
  repeated
})

const anyValue: Schema = schema(() => ({
  1: ["stringValue", "string"],
  2: ["boolValue", "bool"],
  3: ["intValue", "int"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", arrayValue]
}))
const arrayValue: Schema = schema(() => ({ 1: ["values", anyValue] }), "values")
const keyValue = schema(() => ({ 1: ["key", "string"], 2: ["value", anyValue] }))
const resource = schema(() => ({ 1: ["attributes", keyValue] }), "attributes")
const event = schema(
  () => ({ 1: ["timeUnixNano", "fixed64"], 2: ["name", "string"], 3: ["attributes", keyValue] }),
  "attributes"
)
const span = schema(
  () => ({
    1: ["traceId", "hex"],
    2: ["spanId", "hex"],
    4: ["parentSpanId", "hex"],
    5: ["name", "string"],
    6: ["kind", "int"],
    7: ["startTimeUnixNano", "fixed64"],
    8: ["endTimeUnixNano", "fixed64"],
    9: ["attributes", keyValue],
    11: ["events", event],
    15: ["status", schema(() => ({ 2: ["message", "string"], 3: ["code", "int"] }))]
  }),
  "attributes",
  "events"
)
const logRecord = schema(
  () => ({
    1: ["timeUnixNano", "fixed64"],
    2: ["severityNumber", "int"],
    3: ["severityText", "string"],
    5: ["body", anyValue],
    6: ["attributes", keyValue],
    9: ["traceId", "hex"],
    10: ["spanId", "hex"]
  }),
  "attributes"
)
const numberPoint = schema(
  () => ({ 7: ["attributes", keyValue], 4: ["asDouble", "double"], 6: ["asInt", "fixed64"] }),
  "attributes"
)
const histogramPoint = schema(
  () => ({
    9: ["attributes", keyValue],
    4: ["count", "fixed64"],
    5: ["sum", "double"],
    6: ["bucketCounts", "counts"],
    7: ["explicitBounds", "doubles"]
  }),
  "attributes"
)
const points = (point: Schema) =>
  schema(
    () => ({ 1: ["dataPoints", point], 2: ["aggregationTemporality", "int"], 3: ["isMonotonic", "bool"] }),
    "dataPoints"
  )
const metric = schema(() => ({
  1: ["name", "string"],
  2: ["description", "string"],
  3: ["unit", "string"],
  5: ["gauge", points(numberPoint)],
  7: ["sum", points(numberPoint)],
  9: ["histogram", points(histogramPoint)]
}))
const scoped = (of: string, item: Schema, scopes: string, all: string): Schema =>
  schema(() => ({
    1: [
      all,
      schema(() => ({ 1: ["resource", resource], 2: [scopes, schema(() => ({ 2: [of, item] }), of)] }), scopes)
    ]
  }), all)

const schemas: Readonly<Record<string, Schema>> = {
  "/v1/traces": scoped("spans", span, "scopeSpans", "resourceSpans"),
  "/v1/metrics": scoped("metrics", metric, "scopeMetrics", "resourceMetrics"),
  "/v1/logs": scoped("logRecords", logRecord, "scopeLogs", "resourceLogs")
}

const readValue = (reader: BinaryReader, type: Field[1], wire: WireType): unknown => {
  switch (type) {
    case "string":
      return reader.string()
    case "hex":
      return Buffer.from(reader.bytes()).toString("hex")
    case "int":
      return Number(reader.int64())
    case "bool":
      return reader.bool()
    case "double":
      return reader.double()
    case "fixed64":
      return String(reader.fixed64())
    case "counts":
    case "doubles": {
      if (wire !== WireType.LengthDelimited) return type === "doubles" ? reader.double() : Number(reader.fixed64())
      const packed = new BinaryReader(reader.bytes())
      const values: Array<number> = []
      while (packed.pos < packed.len) values.push(type === "doubles" ? packed.double() : Number(packed.fixed64()))
      return values
    }
    default:
      return decode(reader.bytes(), type)
  }
}

const decode = (bytes: Uint8Array, { fields, repeated }: Schema): Any => {
  const reader = new BinaryReader(bytes)
  const known = fields()
  const result: Any = Object.fromEntries(repeated.map((name) => [name, []]))
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    const field = known[number]
    if (field === undefined) {
      reader.skip(wire)
      continue
    }
    const [name, type] = field
    const value = readValue(reader, type, wire)
    if (repeated.includes(name)) result[name].push(value)
    else result[name] = value
  }
  return result
}

const valueOf = (value: Any): unknown =>
  value.stringValue ?? value.boolValue ?? (value.intValue === undefined ? undefined : Number(value.intValue)) ??
    value.doubleValue ?? value.arrayValue?.values.map(valueOf)

const attributesOf = (list: ReadonlyArray<Any> = []): Attributes =>
  Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]))

const kinds = ["sum", "gauge", "histogram"] as const

/** The items of a decoded request, each with the attributes of its resource. */
const itemsOf = (document: Any, all: string, scopes: string, of: string): ReadonlyArray<Any> =>
  (document[all] ?? []).flatMap((one: Any) =>
    one[scopes].flatMap((scope: Any) =>
      scope[of].map((item: Any) => ({ ...item, resource: attributesOf(one.resource.attributes) }))
    )
  )

const accept: Respond = (_, response) => response.writeHead(200, { "content-type": "application/json" }).end("{}")

/** Starts a collector that stops with its scope. */
export const makeCollectorServer = Effect.gen(function*() {
  let respond = accept
  const requests: Array<ReceivedRequest> = []
  const accepted: Array<ReceivedRequest> = []

  const { origin } = yield* listen((incoming, response) =>
    Effect.promise(async () => {
      const chunks: Array<Buffer> = []
      for await (const chunk of incoming) chunks.push(chunk)
      const sent = Buffer.concat(chunks)
      const request = {
        path: incoming.url ?? "",
        headers: incoming.headers,
        bytes: incoming.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent
      }
      requests.push(request)
      respond(request, response)
      if (response.writableEnded && response.statusCode === 200) accepted.push(request)
    })
  )

  const documents = (path: string): ReadonlyArray<Any> =>
    accepted.filter((request) => request.path === path).map(({ bytes, headers }) => {
      const form = schemas[path]
      return headers["content-type"] === "application/json" || form === undefined
        ? JSON.parse(bytes.toString())
        : decode(bytes, form)
    })

  const spans = (): ReadonlyArray<ReceivedSpan> =>
    documents("/v1/traces").flatMap((document) => itemsOf(document, "resourceSpans", "scopeSpans", "spans")).map((
      one
    ) => ({
      resource: one.resource,
      traceId: one.traceId,
      spanId: one.spanId,
      parentSpanId: one.parentSpanId ?? "",
      name: one.name,
      kind: one.kind,
      nanos: Number(BigInt(one.endTimeUnixNano) - BigInt(one.startTimeUnixNano)),
      attributes: attributesOf(one.attributes),
      status: one.status?.code ?? 0,
      events: one.events.map((event: Any) => attributesOf(event.attributes))
    }))

  const logs = (): ReadonlyArray<ReceivedLog> =>
    documents("/v1/logs").flatMap((document) => itemsOf(document, "resourceLogs", "scopeLogs", "logRecords")).map((
      one
    ) => ({
      resource: one.resource,
      traceId: one.traceId ?? "",
      spanId: one.spanId ?? "",
      severity: one.severityText,
      body: valueOf(one.body),
      attributes: attributesOf(one.attributes)
    }))

  const metrics = (): ReadonlyArray<ReceivedMetric> =>
    documents("/v1/metrics").flatMap((document) => itemsOf(document, "resourceMetrics", "scopeMetrics", "metrics")).map(
      (one) => {
        const kind = kinds.find((kind) => one[kind] !== undefined) ?? "other"
        const data = one[kind] ?? { dataPoints: [] }
        return {
          resource: one.resource,
          name: one.name,
          unit: one.unit ?? "",
          kind,
          temporality: data.aggregationTemporality ?? 0,
          points: data.dataPoints.map((point: Any) => ({
            attributes: attributesOf(point.attributes),
            value: Number(point.asInt ?? point.asDouble ?? point.count ?? 0)
          }))
        }
      }
    )

  return {
    origin,
    requests,
    spans,
    logs,
    metrics,
    /** Responds in this way from now on. */
    respondWith: (next: Respond) =>
      Effect.sync(() => {
        respond = next
      }),
    /** Waits until some of what was accepted fits. */
    awaitSpan: (fits: (span: ReceivedSpan) => boolean) =>
      Effect.as(eventually(() => spans().some(fits)), undefined).pipe(
        Effect.map(() => spans().find(fits))
      )
  }
})

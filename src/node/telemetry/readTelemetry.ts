/**
 * Reads the standard variables of OpenTelemetry. Pure.
 *
 * Source: OpenTelemetry specification, environment variables and OTLP exporter configuration.
 */
import * as Result from "effect/Result"
import type { Problem } from "../../config/InvalidConfiguration.ts"
import { nearestName } from "../../errors/nearestName.ts"
import { type Environment, type Fields, makeReader, type Reader } from "./otelReader.ts"
import { type Batching, type Export, type Sampler, type Signal, signals, type Telemetry } from "./Telemetry.ts"
import { variableNames } from "./variables.ts"

/** The result of reading the variables, with warnings of one or two sentences each. */
export interface ReadTelemetry {
  /** `undefined`: nothing is exported. */
  readonly telemetry: Telemetry | undefined
  readonly warnings: ReadonlyArray<string>
}

const upper = (signal: Signal) => signal.toUpperCase()

const defaultEndpoint = "http://localhost:4318"

const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Parses `name=value,name2=value2`, percent-decoded. `undefined` if it is not such a list. */
const parsePairs = (text: string, isPair: (name: string, value: string) => boolean): Fields | undefined => {
  const pairs: Record<string, string> = {}
  for (const part of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
    const mark = part.indexOf("=")
    const decoded = Result.getOrUndefined(
      Result.try(() => [part.slice(0, mark), part.slice(mark + 1)].map((half) => decodeURIComponent(half.trim())))
    )
    const [name = "", value = ""] = decoded ?? []
    if (mark < 1 || name === "" || !isPair(name, value)) return undefined
    pairs[name] = value
  }
  return pairs
}

/** The value of a variable for one signal, or of the one for all signals. */
const ofSignal = ({ firstSet }: Reader, signal: Signal, rest: string) =>
  firstSet(`OTEL_EXPORTER_OTLP_${upper(signal)}_${rest}`, `OTEL_EXPORTER_OTLP_${rest}`)

const endpointFix = "Write it as http://collector.example:4318"

const readUrl = (reader: Reader, signal: Signal): string | undefined => {
  const own = reader.firstSet(`OTEL_EXPORTER_OTLP_${upper(signal)}_ENDPOINT`)
  const given = own ?? reader.firstSet("OTEL_EXPORTER_OTLP_ENDPOINT")
  const { name, value } = given ?? { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: defaultEndpoint }
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    reader.problem(name, "is not an http or https URL", endpointFix)
    return undefined
  }
  if (url.username !== "" || url.password !== "") {
    reader.problem(
      name,
      "has credentials in the URL",
      "Remove them, and set OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20… instead"
    )
    return undefined
  }
  if (url.port === "4317") {
    reader.warn(
      `${name} has the port of OTLP over gRPC, which is not supported. Use the port of OTLP over HTTP, usually 4318.`
    )
  }
  url.hash = ""
  // The endpoint of one signal is complete; the endpoint of all signals is a base.
  if (own === undefined) url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`
  return url.href
}

const readHeaders = (reader: Reader, signal: Signal): Fields => {
  const given = ofSignal(reader, signal, "HEADERS")
  if (given === undefined) return {}
  const headers = parsePairs(given.value, (name, value) => fieldName.test(name) && fieldValue.test(value))
  if (headers === undefined) {
    reader.problem(
      given.name,
      "is not a list of header fields",
      "Write it as name=value,other=value, with %20 for a space and %2C for a comma in a value"
    )
  }
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
}

const readProtocol = (reader: Reader, signal: Signal): Export["protocol"] => {
  const given = ofSignal(reader, signal, "PROTOCOL")
  if (given === undefined || given.value === "http/protobuf") return "http/protobuf"
  if (given.value !== "http/json") {
    reader.problem(
      given.name,
      given.value === "grpc" ? "is grpc, which is not supported" : "is not a protocol of OTLP over HTTP",
      "Set it to http/protobuf or http/json, and the endpoint to the collector's port for HTTP, usually 4318"
    )
  }
  return "http/json"
}

const readCompression = (reader: Reader, signal: Signal): Export["compression"] => {
  const given = ofSignal(reader, signal, "COMPRESSION")
  if (given === undefined || given.value === "none") return "none"
  if (given.value !== "gzip") {
    reader.warn(`${given.name} is a compression that is not supported. Requests are not compressed. Use gzip or none.`)
    return "none"
  }
  return "gzip"
}

const readExport = (reader: Reader, signal: Signal): Export | undefined => {
  const url = readUrl(reader, signal)
  const file = (rest: string) => ofSignal(reader, signal, rest)?.value
  const settings = {
    headers: readHeaders(reader, signal),
    protocol: readProtocol(reader, signal),
    compression: readCompression(reader, signal),
    timeoutMillis: reader.millis(
      10_000,
      1,
      `OTEL_EXPORTER_OTLP_${upper(signal)}_TIMEOUT`,
      "OTEL_EXPORTER_OTLP_TIMEOUT"
    ),
    certificate: file("CERTIFICATE"),
    clientCertificate: file("CLIENT_CERTIFICATE"),
    clientKey: file("CLIENT_KEY")
  }
  if ((settings.clientCertificate === undefined) !== (settings.clientKey === undefined)) {
    reader.problem(
      "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
      "needs OTEL_EXPORTER_OTLP_CLIENT_KEY, and the other way around",
      "Set both or neither"
    )
  }
  return url === undefined ? undefined : { url, ...settings }
}

/** Whether a signal is exported: if there is an endpoint for it or it is switched on, and it is not switched off. */
const isExported = (reader: Reader, signal: Signal): boolean => {
  const name = `OTEL_${upper(signal)}_EXPORTER`
  const chosen = (reader.firstSet(name)?.value ?? "").split(",").map((one) => one.trim().toLowerCase())
    .filter((one) => one !== "")
  const others = chosen.filter((one) => one !== "otlp" && one !== "none")
  if (others.length > 0) {
    reader.warn(`${name} names an exporter that is not supported. It is ignored. Use otlp or none.`)
  }
  if (chosen.includes("otlp")) return true
  return chosen.length === 0 && ofSignal(reader, signal, "ENDPOINT") !== undefined
}

const readBatching = (reader: Reader, prefix: string, delayMillis: number): Batching => {
  const maxQueue = reader.count(2048, `${prefix}_MAX_QUEUE_SIZE`)
  const maxBatch = reader.count(512, `${prefix}_MAX_EXPORT_BATCH_SIZE`)
  return {
    delayMillis: reader.millis(delayMillis, 1, `${prefix}_SCHEDULE_DELAY`),
    // A batch is at most as large as the queue (SDK specification, batching processor).
    maxBatch: Math.min(maxBatch, maxQueue),
    maxQueue
  }
}

const samplers: Readonly<Record<string, Omit<Sampler, "ratio"> & { readonly ratio: number | "argument" }>> = {
  always_on: { isParentBased: false, ratio: 1 },
  always_off: { isParentBased: false, ratio: 0 },
  traceidratio: { isParentBased: false, ratio: "argument" },
  parentbased_always_on: { isParentBased: true, ratio: 1 },
  parentbased_always_off: { isParentBased: true, ratio: 0 },
  parentbased_traceidratio: { isParentBased: true, ratio: "argument" }
}

const readSampler = (reader: Reader): Sampler => {
  const { value: name = "parentbased_always_on" } = reader.firstSet("OTEL_TRACES_SAMPLER") ?? {}
  const sampler = Object.hasOwn(samplers, name) ? samplers[name] : undefined
  if (sampler === undefined) {
    reader.warn(
      "OTEL_TRACES_SAMPLER is a sampler that is not supported. Every trace is recorded, as far as its caller does not say " +
        `otherwise. Use ${Object.keys(samplers).join(", ")}.`
    )
    return { isParentBased: true, ratio: 1 }
  }
  if (sampler.ratio !== "argument") return { isParentBased: sampler.isParentBased, ratio: sampler.ratio }
  const text = reader.firstSet("OTEL_TRACES_SAMPLER_ARG")?.value ?? "1"
  const ratio = Number(text)
  if (!/^[0-9.eE+-]+$/.test(text) || !(ratio >= 0 && ratio <= 1)) {
    reader.problem("OTEL_TRACES_SAMPLER_ARG", "is not a number from 0 to 1", "Set it to 0.01 to record 1 of 100 traces")
  }
  return { isParentBased: sampler.isParentBased, ratio }
}

const readPropagators = (reader: Reader): boolean => {
  const chosen = (reader.firstSet("OTEL_PROPAGATORS")?.value ?? "tracecontext,baggage").split(",")
    .map((one) => one.trim().toLowerCase()).filter((one) => one !== "")
  // Baggage is a field like any other here: it passes unchanged.
  const others = chosen.filter((one) => !["tracecontext", "baggage", "none"].includes(one))
  if (others.length > 0) {
    reader.warn(
      "OTEL_PROPAGATORS names a format that is not supported. It is ignored. Use tracecontext, baggage or none."
    )
  }
  return chosen.includes("tracecontext")
}

const readTemporality = (reader: Reader): Telemetry["temporality"] => {
  const { name, value = "cumulative" } = reader.firstSet("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE") ?? {}
  const chosen = value.toLowerCase()
  if (chosen === "delta" || chosen === "lowmemory") return "delta"
  if (chosen !== "cumulative") reader.warn(`${name} should be cumulative, delta or lowmemory. Metrics are cumulative.`)
  return "cumulative"
}

const readResource = (reader: Reader): Pick<Telemetry, "attributes" | "serviceName"> => {
  const given = reader.firstSet("OTEL_RESOURCE_ATTRIBUTES")
  const attributes = given === undefined ? {} : parsePairs(given.value, () => true)
  if (attributes === undefined) {
    reader.problem(
      "OTEL_RESOURCE_ATTRIBUTES",
      "is not a list of attributes",
      "Write it as name=value,other=value, with %2C for a comma and %3D for an equals sign in a value"
    )
  }
  const { "service.name": named, ...others } = attributes ?? {}
  return { serviceName: reader.firstSet("OTEL_SERVICE_NAME")?.value ?? named ?? "mcp-authorizer", attributes: others }
}

/** Undefined names that resemble one that is read here. */
const misspelt = (environment: Environment): ReadonlyArray<string> =>
  Object.keys(environment).flatMap((name) => {
    if (!/^OTEL_[A-Z_]{1,60}$/.test(name) || variableNames.has(name)) return []
    const meant = nearestName(name, variableNames)
    // Other programs have their own variables, some with similar names.
    return meant === undefined || Math.abs(meant.length - name.length) > 1 || meant.slice(0, 8) !== name.slice(0, 8)
      ? []
      : [`${name} is not a variable of OpenTelemetry that this program reads. Did you mean ${meant}?`]
  })

/**
 * Reads what is to be exported, from the variables of a process.
 *
 * A signal is exported if there is an endpoint for it, or if its exporter is `otlp`. Fails with the problems of values that
 * cannot be followed, unless nothing is exported: then the variables may be for other programs.
 */
export const readTelemetry = (environment: Environment): Result.Result<ReadTelemetry, ReadonlyArray<Problem>> => {
  const reader = makeReader(environment)
  const nothing: ReadTelemetry = { telemetry: undefined, warnings: [] }
  if (reader.firstSet("OTEL_SDK_DISABLED")?.value.toLowerCase() === "true") return Result.succeed(nothing)
  const exported = signals.filter((signal) => isExported(reader, signal))
  const spelling = misspelt(environment)
  if (exported.length === 0) return Result.succeed({ ...nothing, warnings: [...reader.warnings(), ...spelling] })
  const telemetry: Telemetry = {
    exports: Object.fromEntries(exported.map((signal) => [signal, readExport(reader, signal)])),
    spans: readBatching(reader, "OTEL_BSP", 5_000),
    logs: readBatching(reader, "OTEL_BLRP", 1_000),
    metricIntervalMillis: reader.millis(60_000, 100, "OTEL_METRIC_EXPORT_INTERVAL"),
    temporality: readTemporality(reader),
    sampler: readSampler(reader),
    propagates: readPropagators(reader),
    ...readResource(reader)
  }
  const problems = reader.problems()
  return problems.length > 0
    ? Result.fail(problems)
    : Result.succeed({ telemetry, warnings: [...reader.warnings(), ...spelling] })
}

import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { lineFields, logFields, type LogNames } from "./logFields.ts"

/** Values that JSON represents directly: they need no redaction, and cannot be cyclic. */
const isPlain = (value: unknown): boolean =>
  value === undefined || Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value) ||
  (Array.isArray(value) && value.every(Predicate.isString))

type Fields = Readonly<Record<string, unknown>>

const areAllPlain = (fields: Fields): boolean => {
  for (const name of Object.keys(fields)) {
    if (!isPlain(fields[name])) return false
  }
  return true
}

interface Entry {
  readonly date: Date
  readonly level: LogLevel.LogLevel
  readonly message: string
  readonly fields: Fields
  readonly spanId: string | undefined
  readonly spanTraceId: string | undefined
  readonly cause: string | undefined
}

/** The severity numbers of OpenTelemetry (logs data model, severity fields). */
const severityNumbers: Readonly<Partial<Record<LogLevel.LogLevel, number>>> = {
  Trace: 1,
  Debug: 5,
  Info: 9,
  Warn: 13,
  Error: 17,
  Fatal: 21
}

const heads: { readonly [Names in LogNames]: (entry: Entry) => Record<string, unknown> } = {
  default: ({ date, level, message }) => ({ time: date.toISOString(), level: level.toUpperCase(), message }),
  ecs: ({ date, level, message }) => ({
    "@timestamp": date.toISOString(),
    "log.level": level.toLowerCase(),
    message,
    "ecs.version": "8.17.0",
    "service.name": "mcp-authorizer"
  }),
  otel: ({ date, level, message }) => ({
    timestamp: date.toISOString(),
    severity_text: level.toUpperCase(),
    severity_number: severityNumbers[level],
    body: message
  })
}

/** Returns the names of fields in one convention. An unknown field gets a name that no known field can have. */
const namesBy = (names: LogNames): (name: string) => string => {
  if (names === "default") {
    // An embedder's member must not replace a member that every line has.
    const taken: ReadonlySet<string> = new Set(Object.keys(lineFields).filter((name) => name !== "trace_id"))
    return (name) => taken.has(name) ? `field.${name}` : name
  }
  const known = new Map(
    Object.entries({ ...logFields, trace_id: lineFields.trace_id }).map(([name, field]) => [name, field[names]])
  )
  return (name) => known.get(name) ?? `mcp_authorizer.${name}`
}

const nanosInMilli = 1e6

const lineBy = (names: LogNames) => {
  const head = heads[names]
  const nameOf = namesBy(names)
  const named = (name: "cause" | "span_id" | "trace_id") => names === "default" ? name : lineFields[name][names]
  const [cause, spanId, traceId] = [named("cause"), named("span_id"), named("trace_id")]

  return (entry: Entry): Record<string, unknown> => {
    const line = head(entry)
    // Written before the fields, because a field `trace_id` replaces it.
    if (entry.spanTraceId !== undefined) line[traceId] = entry.spanTraceId
    if (entry.fields["trace_id"] !== undefined) line[traceId] = entry.fields["trace_id"]
    if (entry.spanId !== undefined) line[spanId] = entry.spanId
    for (const name of Object.keys(entry.fields)) {
      const value = entry.fields[name]
      line[nameOf(name)] = name === "duration_ms" && names === "ecs" ? Math.round(Number(value) * nanosInMilli) : value
    }
    if (entry.cause !== undefined) line[cause] = entry.cause
    return line
  }
}

/** Renames members of objects to names with dots, so that the line is flat. */
const flattened = (fields: Fields, prefix = "", depth = 0): Record<string, unknown> => {
  const flat: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (depth < 8 && Predicate.isObject(value) && !Array.isArray(value)) {
      Object.assign(flat, flattened(value as Fields, `${prefix}${name}.`, depth + 1))
    } else flat[`${prefix}${name}`] = value
  }
  return flat
}

/** The form of Effect's own logger, which inspects every value. That takes most of the time for an entry. */
const careful = (options: Logger.Options<unknown>): Pick<Entry, "cause" | "fields" | "message"> => {
  const { annotations, cause, message, spans }: {
    readonly annotations: Fields
    readonly cause?: string
    readonly message: unknown
    readonly spans: Fields
  } = JSON.parse(Logger.formatJson.log(options))
  return {
    message: Predicate.isString(message) ? message : JSON.stringify(message),
    cause,
    fields: flattened({ ...annotations, ...(Object.keys(spans).length === 0 ? {} : { span: spans }) })
  }
}

/**
 * Converts a log entry to the flat members of a line, with the names of a convention.
 *
 * Nothing is nested, and no internals of the program are shown. The entries of requests take a faster path: they have
 * no cause, and only strings, numbers and booleans as values.
 */
export const flatEntry = (names: LogNames): Logger.Logger<unknown, Readonly<Record<string, unknown>>> => {
  const line = lineBy(names)
  return Logger.make((options) => {
    const { cause, date, fiber, logLevel } = options
    const [message, ...more] = Array.isArray(options.message) ? options.message : [options.message]
    const fields = fiber.getRef(References.CurrentLogAnnotations)
    const isSimple = Predicate.isString(message) && more.length === 0 && cause.reasons.length === 0 &&
      fiber.getRef(References.CurrentLogSpans).length === 0 && areAllPlain(fields)
    const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
    return line({
      date,
      level: logLevel,
      spanId: span?.spanId,
      spanTraceId: span?.traceId,
      ...(isSimple ? { message, fields, cause: undefined } : careful(options))
    })
  })
}

export const flatLine = (names: LogNames): Logger.Logger<unknown, string> =>
  Logger.map(flatEntry(names), (line) => JSON.stringify(line))

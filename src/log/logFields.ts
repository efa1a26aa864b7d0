/** The names of the fields of a log line, in each supported convention. Pure. */
import * as Effect from "effect/Effect"
import * as References from "effect/References"

/** The conventions, by the names of `MCP_LOG_NAMES`. */
export const logNames = ["default", "ecs", "otel"] as const

/** One of `logNames`. */
export type LogNames = typeof logNames[number]

/** One field: its names in other conventions, and its meaning. */
export interface LogField {
  /** The name in the Elastic Common Schema. */
  readonly ecs: string
  /** The name in OpenTelemetry's semantic conventions. */
  readonly otel: string
  /** The meaning, for the reference, in Markdown. */
  readonly doc: string
}

const own = (name: string) => ({ ecs: `mcp_authorizer.${name}`, otel: `mcp_authorizer.${name}` })

export const lineFields = {
  time: { ecs: "@timestamp", otel: "timestamp", doc: "when it was written (RFC 3339, UTC, with milliseconds)" },
  level: {
    ecs: "log.level",
    otel: "severity_text",
    doc: "`TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`; in lower case by ECS; by OpenTelemetry with `severity_number`"
  },
  message: {
    ecs: "message",
    otel: "body",
    doc: "what happened, in a few fixed words: `request` for the one line of each request"
  },
  trace_id: {
    ecs: "trace.id",
    otel: "trace_id",
    doc: "the id of the trace where requests are traced, otherwise the id of the request in `MCP_TRACE_HEADER`"
  },
  span_id: { ecs: "span.id", otel: "span_id", doc: "the span of the request, where requests are traced" },
  cause: {
    ecs: "error.stack_trace",
    otel: "exception.stacktrace",
    doc: "the failure, in an entry of a program that embeds the gateway"
  }
} as const satisfies Record<string, LogField>

/** The fields of lines about particular events. */
export const logFields = {
  request_id: {
    ecs: "http.request.id",
    otel: "http.request.id",
    doc: "the id of the request in `MCP_TRACE_HEADER`, where it is not the id of the trace"
  },
  server: { ...own("server"), doc: "the name of the MCP server, where it has one" },
  http_method: { ecs: "http.request.method", otel: "http.request.method", doc: "the method of the request" },
  path: {
    ecs: "url.path",
    otel: "url.path",
    doc: "the path without the query; `…` stands for a part that could be a token or an id"
  },
  client_address: {
    ecs: "client.address",
    otel: "client.address",
    doc: "where the request came from; behind a trusted proxy the address that the proxy reports"
  },
  forward_auth: { ...own("forward_auth"), doc: "`true` where a proxy asked about the request and forwards it itself" },
  method: {
    ecs: "mcp.method.name",
    otel: "mcp.method.name",
    doc:
      "the method of the JSON-RPC message, where the message had to be read: for rules, rate limits, traces or the audit log"
  },
  tool: { ecs: "gen_ai.tool.name", otel: "gen_ai.tool.name", doc: "the tool that it calls" },
  prompt: { ecs: "gen_ai.prompt.name", otel: "gen_ai.prompt.name", doc: "the prompt that it asks for" },
  resource: { ecs: "mcp.resource.uri", otel: "mcp.resource.uri", doc: "the resource that it reads, without a query" },
  status: {
    ecs: "http.response.status_code",
    otel: "http.response.status_code",
    doc: "the status of the response; 499 if the client disconnected before there was one"
  },
  duration_ms: {
    ecs: "event.duration",
    otel: "mcp_authorizer.duration_ms",
    doc: "from the arrival of the request to the end of its response, in milliseconds; in nanoseconds by ECS"
  },
  ended: {
    ...own("ended"),
    doc:
      "why a response is not complete: `token ended`, `response timeout`, `client left`, `broken off` (by the MCP server, or " +
      "by a fault), `reloaded` (the configuration, too often since it began), `shutting down`"
  },
  provider: { ...own("provider"), doc: "the provider of the caller, or the one that it is about" },
  subject: {
    ecs: "user.hash",
    otel: "user.hash",
    doc: "a digest of issuer and subject: the same for all lines of one caller"
  },
  client: { ...own("client"), doc: "the OAuth client of the caller" },
  error: { ecs: "error.type", otel: "error.type", doc: "the kind of error that the request ended with" },
  reason: {
    ecs: "error.code",
    otel: "mcp_authorizer.reason",
    doc: "more about it, from a fixed list, or why something failed"
  },
  detail: { ecs: "error.message", otel: "error.message", doc: "the exact reason, which the response does not tell" },
  required_scopes: { ...own("required_scopes"), doc: "the scopes that the request needs" },
  rule: { ...own("rule"), doc: "the number of the rule that did not allow it, or `default`" },
  fault: { ...own("fault"), doc: "the kind of a fault of the gateway's own" },
  at: { ...own("at"), doc: "where it arose" },
  url: { ecs: "url.full", otel: "url.full", doc: "where the gateway listens" },
  admin: { ...own("admin"), doc: "where the admin port listens" },
  mcp_path: { ...own("mcp_path"), doc: "`MCP_PATH`" },
  upstream: { ...own("upstream"), doc: "`MCP_SERVER_URL`" },
  providers: { ...own("providers"), doc: "the configured providers" },
  workers: { ...own("workers"), doc: "how many workers there are" },
  worker: { ...own("worker"), doc: "the number of the worker that writes" },
  pid: { ecs: "process.pid", otel: "process.pid", doc: "the process of the worker" },
  replaced_in_ms: { ...own("replaced_in_ms"), doc: "when another one takes its place" },
  kind: { ...own("kind"), doc: "how a store failed" },
  source: { ...own("source"), doc: "where the keys come from" },
  keys: { ...own("keys"), doc: "keys that cannot be used, each with its reason" },
  unusable: { ...own("unusable"), doc: "how many they are" },
  location: { ...own("location"), doc: "where the MCP server redirects to" },
  code: { ...own("code"), doc: "the system's code of what failed" },
  signal: { ...own("signal"), doc: "`traces`, `metrics` or `logs`, where their export is concerned" },
  collector: { ...own("collector"), doc: "where they are sent" },
  lost_batches: { ...own("lost_batches"), doc: "how many batches of them are lost" },
  dropped_entries: { ...own("dropped_entries"), doc: "how many entries of the audit log are lost" },
  generation: { ...own("generation"), doc: "the number of the configuration: 1 at start, one more with each reload" },
  changed: { ...own("changed"), doc: "the settings, providers and servers that a reload has changed, by name" },
  problems: { ...own("problems"), doc: "everything that is wrong with a configuration, each with its fix" },
  not_ready: { ...own("not_ready"), doc: "the providers whose keys could not be fetched" }
} as const satisfies Record<string, LogField>

export type LogFieldName = keyof typeof logFields

/** Fields of log lines by their names, which the reference describes. */
export type LogFields = { readonly [Name in LogFieldName | "trace_id"]?: unknown }

type Annotations = Readonly<Record<string, unknown>>

const isEmpty = (annotations: Annotations): boolean => {
  for (const _ in annotations) return false
  return true
}

/**
 * Adds fields to the log lines of an effect.
 *
 * Like `Effect.annotateLogs`, which always copies the fields, although that costs more than writing them.
 */
export const annotate: {
  (fields: LogFields): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
} = (fields) =>
  Effect.updateService(
    References.CurrentLogAnnotations,
    (annotations): Annotations => isEmpty(annotations) ? fields : { ...annotations, ...fields }
  )

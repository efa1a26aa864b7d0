/**
 * The name, attributes and status of a request's span, by OpenTelemetry's semantic conventions for HTTP and for MCP.
 */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { gatewaySocket } from "../config/kinds/gatewaySocket.ts"
import { type LogFieldName, type LogFields, logFields } from "../log/logFields.ts"
import { portOf } from "../trace/spans.ts"
import type { ExchangeFields } from "./accessLog.ts"
import type { Ending, Exchange } from "./Exchange.ts"
import { endSpan, inTrace, rename, setAttributes } from "./RequestTrace.ts"
import { mcpRoute } from "./routes.ts"
import { sessionDigest } from "./sessionDigest.ts"

type Attributes = Readonly<Record<string, unknown>>

/** The address of the MCP server, as attributes of the spans of requests to it. */
export const upstreamAttributes = ({ gatewayUrl }: Pick<GatewaySettings, "gatewayUrl">): Attributes => {
  const socket = gatewaySocket(gatewayUrl)
  if (socket !== undefined) return { "server.address": socket, "network.transport": "unix" }
  const url = new URL(gatewayUrl)
  return { "server.address": url.hostname, "server.port": portOf(url) }
}

const revision = /^\d{4}-\d{2}-\d{2}$/

const named = (fields: LogFields): Attributes =>
  Object.fromEntries(
    // The type of `Object.entries` loses the names.
    (Object.entries(fields) as ReadonlyArray<readonly [LogFieldName, unknown]>).map(([name, value]) =>
      [logFields[name].otel, value] as const
    )
  )

/** The name of the span: if there is one message, by the conventions for MCP, otherwise by those for HTTP. */
const nameOf = (
  { operations = [], request, route }: Exchange,
  { method, prompt, tool }: LogFields,
  path: string
): string => {
  if (operations.length === 1 && method !== undefined) return [method, tool ?? prompt ?? []].flat().join(" ")
  return route?.row === mcpRoute ? `${request.method} ${path}` : request.method
}

/**
 * The `error.type` of a span: for failures on the server's side, and for responses that ended early unless the client
 * caused it.
 */
const errorTypeOf = ({ error, status = 0 }: Exchange, ended: Ending | undefined): string | undefined => {
  if (status >= 500) return error?._tag ?? String(status)
  return ended === "broken off" ? ended : undefined
}

/**
 * Builds the function that ends the span of an exchange and then writes its entries, in the context of the span.
 *
 * The span of a probe is never ended, so that it is not exported.
 *
 * @param settings of the one MCP server
 * @param fieldsOf builds the fields of a log entry
 * @param log writes the entries
 */
export const makeFinishTrace = Effect.fnUntraced(function*(
  settings: Pick<GatewaySettings, "path" | "publicUrl">,
  fieldsOf: ExchangeFields,
  log: (exchange: Exchange, ended: Ending | undefined) => Effect.Effect<void>
) {
  const digest = yield* Digest.Digest

  const finish = Effect.fnUntraced(function*(exchange: Exchange, ended: Ending | undefined) {
    const { operations, raw: { version }, request, route, trace } = exchange
    if (trace === undefined || route?.row.isProbe === true) return
    const { clock, span } = trace
    const failure = errorTypeOf(exchange, ended)
    // A span that is not sampled is not exported, so its attributes need not be computed.
    if (span.sampled) {
      const fields = yield* fieldsOf(exchange, ended)
      const declared = request.headers["mcp-protocol-version"]
      const callsTool = operations?.length === 1 && operations[0]?.subject?.kind === "tool"
      setAttributes(span, {
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": version,
        ...named(fields),
        "http.route": route?.row === mcpRoute ? settings.path : undefined,
        "gen_ai.operation.name": callsTool ? "execute_tool" : undefined,
        "mcp.protocol.version": declared !== undefined && revision.test(declared) ? declared : undefined,
        "mcp.session.id": yield* sessionDigest(digest, exchange),
        ...(failure === undefined ? {} : { "error.type": failure })
      })
      rename(span, nameOf(exchange, fields, settings.path))
    }
    endSpan(span, clock, failure)
  })

  return (exchange: Exchange, ended: Ending | undefined): Effect.Effect<void> =>
    exchange.trace === undefined
      ? log(exchange, ended)
      : Effect.andThen(finish(exchange, ended), inTrace(exchange, log(exchange, ended)))
})

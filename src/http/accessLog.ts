import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ClientAbort } from "effect/http/HttpServerError"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { shownText, withoutCredential } from "../audit/shown.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { loggedPath } from "../errors/loggedPath.ts"
import type { Identity } from "../identity/Identity.ts"
import { annotate, type LogFields } from "../log/logFields.ts"
import { type Ending, type Exchange, idsOf } from "./Exchange.ts"
import { clientAddress } from "./requester.ts"
import { requestTarget } from "./requestTarget.ts"
import { shownOperations } from "./shownOperation.ts"

const encoder = new TextEncoder()

const bounded = (text: string, length = 256): string => text.length > length ? `${text.slice(0, length)}…` : text

/** The maximum length of the texts `found` and `expected`. */
const detailLength = 2_048

// The status that nginx logs if the client closes the connection before there is a response.
export const clientClosedRequest = 499

/** Returns why a response is incomplete, given how its effect ended; `undefined` if the response is complete. */
export const brokenOff = (exit: Exit.Exit<unknown, unknown>): Ending | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const { cause } = exit
  const interrupts = cause.reasons.filter(Cause.isInterruptReason)
  if (interrupts.length === 0) return "broken off"
  return interrupts.some(({ annotations }) => annotations.has(ClientAbort.key)) ? "client left" : "shutting down"
}

/**
 * Failures of the gateway or of its servers are errors. Failures caused by the client, and responses that no client
 * received, are not. Probes are below the default level: they arrive every few seconds, and the load balancer reports
 * their results.
 */
const severityOf = ({ route, status = clientClosedRequest }: Exchange): LogLevel.Severity =>
  route?.row.isProbe === true ? "Debug" : status >= 500 ? "Error" : "Info"

/**
 * Returns whether an exchange is written to the log, so that drivers need not start an effect that would do nothing.
 *
 * @param minimum the lowest level that is written (`MCP_LOG_LEVEL`)
 */
export const isLogged = (minimum: LogLevel.LogLevel, exchange: Exchange): boolean =>
  LogLevel.isGreaterThanOrEqualTo(severityOf(exchange), minimum)

/**
 * The reason of a rejection, which the response does not contain, as fields of a log entry.
 *
 * @param authorization the value of the request's `Authorization` field, which is removed from the texts
 */
export const rejectionFields = (error: GatewayError, authorization?: string): LogFields => ({
  error: error._tag,
  ...("reason" in error ? { reason: error.reason } : {}),
  ...("detail" in error && error.detail !== undefined
    ? { detail: bounded(withoutCredential(error.detail, authorization), detailLength) }
    : {}),
  ...("required" in error ? { required_scopes: error.required } : {}),
  ...("provider" in error && error.provider !== undefined ? { provider: error.provider } : {})
})

/** The fields of log entries and spans that describe the caller. */
interface LoggedCaller {
  readonly provider: string
  /** The OAuth client, if the token names one. */
  readonly client?: string
  readonly subject: string
}

/**
 * Builds the function that shows a caller in log entries and spans: its provider, and a digest of issuer and subject,
 * which is the same for all entries of a caller without revealing its identity.
 */
export const makeCallerOf = Effect.map(Digest.Digest, ({ digestHex }) => {
  // All requests with one token share one identity object, so its digest is computed once.
  const callers = new WeakMap<Identity, LoggedCaller>()

  return (identity: Identity): Effect.Effect<LoggedCaller> => {
    const cached = callers.get(identity)
    if (cached !== undefined) return Effect.succeed(cached)
    return Effect.map(
      digestHex(Digest.sha256, encoder.encode(JSON.stringify([identity.issuer, identity.subject]))),
      (hex) => {
        const { clientId, provider } = identity
        const caller: LoggedCaller = {
          provider,
          subject: hex.slice(0, 16),
          ...(clientId === undefined ? {} : { client: shownText(clientId) })
        }
        callers.set(identity, caller)
        return caller
      }
    )
  }
})

/** The number of the rule that denied a request; `undefined` if no rule denied it. */
const denyingRule = ({ decisions }: Exchange): number | "default" | undefined => {
  const decision = decisions?.find(({ _tag }) => _tag !== "Allow")
  return decision === undefined ? undefined : decision.rule ?? "default"
}

/**
 * Everything about an exchange that log entries and spans show.
 *
 * @param duration_ms the duration of the exchange; left out for spans, which have their own
 */
export type ExchangeFields = (
  exchange: Exchange,
  ended: Ending | undefined,
  duration_ms?: number
) => Effect.Effect<LogFields>

/**
 * Builds the fields of exchanges that are over. Tokens, queries and bodies do not appear.
 *
 * @param settings of the one MCP server
 */
export const makeExchangeFields = Effect.fnUntraced(function*(
  { serverName, trustedProxies }: Pick<GatewaySettings, "serverName" | "trustedProxies">
): Effect.fn.Return<ExchangeFields, never, Digest.Digest> {
  const callerOf = yield* makeCallerOf

  // Assigned field by field: an object literal with spreads would cost more than the rest of the log entry.
  const fieldsOf = (
    exchange: Exchange,
    ended: Ending | undefined,
    duration_ms: number | undefined,
    caller: LoggedCaller | undefined
  ): LogFields => {
    const { authorization, error, operations, request, status = clientClosedRequest } = exchange
    const rule = denyingRule(exchange)
    const fields: { -readonly [Name in keyof LogFields]: LogFields[Name] } = {}
    if (serverName !== "") fields.server = serverName
    fields.client_address = clientAddress(trustedProxies, exchange)
    fields.http_method = bounded(request.method)
    fields.path = loggedPath(requestTarget(exchange.raw.target).origin)
    if (exchange.subrequest !== undefined) fields.forward_auth = true
    if (operations !== undefined) Object.assign(fields, shownOperations(operations, authorization))
    fields.status = status
    if (duration_ms !== undefined) fields.duration_ms = duration_ms
    if (ended !== undefined) fields.ended = ended
    if (caller !== undefined) Object.assign(fields, caller)
    if (error !== undefined) Object.assign(fields, rejectionFields(error, authorization))
    if (rule !== undefined) fields.rule = rule
    return fields
  }

  return (exchange, ended, duration_ms) =>
    exchange.identity === undefined
      ? Effect.succeed(fieldsOf(exchange, ended, duration_ms, undefined))
      : Effect.map(callerOf(exchange.identity), (caller) => fieldsOf(exchange, ended, duration_ms, caller))
})

/** Builds the function that writes the one log entry of an exchange. Nothing is computed if its level is off. */
export const accessLogWith = (fieldsOf: ExchangeFields) =>
  Effect.fnUntraced(function*(exchange: Exchange, ended: Ending | undefined) {
    if (!isLogged(yield* References.MinimumLogLevel, exchange)) return
    const elapsed = (yield* Clock.currentTimeNanos) - exchange.startedAtNanos
    const fields = yield* fieldsOf(exchange, ended, Number(elapsed / 1000n) / 1000)
    yield* Effect.logWithLevel(severityOf(exchange))("request").pipe(
      annotate(Object.assign(idsOf(exchange), fields))
    )
  })

/**
 * Builds the function that writes the log entries of one MCP server.
 *
 * @param settings of the one MCP server
 */
export const makeAccessLog = (settings: Pick<GatewaySettings, "serverName" | "trustedProxies">) =>
  Effect.map(makeExchangeFields(settings), accessLogWith)

/** The stack frames of a fault. Its message is left out, because it may quote a token, a claim or a body. */
const frames = (defect: unknown): ReadonlyArray<string> =>
  defect instanceof Error
    ? (defect.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 8).map((line) => line.trim())
    : []

/** Logs a fault of the gateway itself. The client gets `server_error` without details. */
export const logFault = (exchange: Exchange, defect: unknown): Effect.Effect<void> =>
  Effect.logError("internal fault").pipe(annotate({
    ...idsOf(exchange),
    fault: defect instanceof Error ? defect.name : typeof defect,
    at: frames(defect)
  }))

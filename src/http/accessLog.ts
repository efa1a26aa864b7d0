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

/** The maximum length of what was found and expected. */
const detailLength = 2_048

// What nginx writes for a request whose client left before there was a response.
export const clientClosedRequest = 499

/** Why the response of an effect that has ended in this way is not complete; `undefined` when it is. */
export const brokenOff = (exit: Exit.Exit<unknown, unknown>): Ending | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const { cause } = exit
  const interrupts = cause.reasons.filter(Cause.isInterruptReason)
  if (interrupts.length === 0) return "broken off"
  return interrupts.some(({ annotations }) => annotations.has(ClientAbort.key)) ? "client left" : "shutting down"
}

/**
 * A response that the gateway or its servers are to blame for is an error; one that no client received, or that the
 * client is to blame for, is not. Probes of load balancers come every few seconds, and their results are seen by the
 * load balancer.
 */
const severityOf = ({ route, status = clientClosedRequest }: Exchange): LogLevel.Severity =>
  route?.row.isProbe === true ? "Debug" : status >= 500 ? "Error" : "Info"

/**
 * Returns whether an exchange is written to the log, for drivers that avoid starting an effect that does nothing.
 *
 * @param minimum the lowest level that is written (`MCP_LOG_LEVEL`)
 */
export const isLogged = (minimum: LogLevel.LogLevel, exchange: Exchange): boolean =>
  LogLevel.isGreaterThanOrEqualTo(severityOf(exchange), minimum)

/**
 * The reason of a rejection, which the response does not contain, as fields of a log entry.
 *
 * @param authorization what the request has in `Authorization`
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

/** A caller as log entries and spans show it. */
interface LoggedCaller {
  readonly provider: string
  /** The OAuth client, where the token names one. */
  readonly client?: string
  /** A digest of issuer and subject. */
  readonly subject: string
}

/**
 * Builds the function that shows a caller in log entries and spans: its provider, and a digest of issuer and subject,
 * which is the same for all entries of a caller without revealing its identity.
 */
export const makeCallerOf = Effect.map(Digest.Digest, ({ digestHex }) => {
  // Verified identities are shared between the requests of one token, so each is digested once.
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

/** The number of the rule that did not allow a request; the error says why. `undefined`: no rule denied it. */
const denyingRule = ({ decisions }: Exchange): number | "default" | undefined => {
  const decision = decisions?.find(({ _tag }) => _tag !== "Allow")
  return decision === undefined ? undefined : decision.rule ?? "default"
}

/**
 * Everything about an exchange that log entries and spans show.
 *
 * @param duration_ms its duration, if that is shown
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

  // Field by field: an object literal with spreads would cost more than everything else that a log entry needs.
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

/** Builds the writer of the one log entry that every exchange ends with. Nothing is computed for a level that is off. */
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
 * Builds the writer of the log entries of one MCP server.
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

/** Logs a fault of the gateway itself, which the client sees as a bare `server_error`. */
export const logFault = (exchange: Exchange, defect: unknown): Effect.Effect<void> =>
  Effect.logError("internal fault").pipe(annotate({
    ...idsOf(exchange),
    fault: defect instanceof Error ? defect.name : typeof defect,
    at: frames(defect)
  }))

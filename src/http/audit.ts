import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import type * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import { messageDecision, requestDecision } from "../audit/auditDecision.ts"
import { makeAuditedArguments } from "../audit/auditedArguments.ts"
import type { AuditEntry } from "../audit/AuditEntry.ts"
import { AuditLog } from "../audit/AuditLog.ts"
import { makeAuditedCaller } from "../audit/Pseudonyms.ts"
import { shownText } from "../audit/shown.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { Operation } from "../message/operation.ts"
import type { Decision } from "../rules/Decision.ts"
import { logFault } from "./accessLog.ts"
import { type Ending, type Exchange, idsOf } from "./Exchange.ts"
import { clientAddress } from "./requester.ts"
import { mcpRoute } from "./routes.ts"
import { sessionDigest } from "./sessionDigest.ts"
import { shownOperation } from "./shownOperation.ts"

/**
 * Whether the gateway decides about access for this request. Public documents, probes and preflights are open to
 * everyone.
 */
const isAudited = ({ error, route }: Exchange): boolean =>
  route === undefined ? error !== undefined : route.row === mcpRoute

/** The missing scopes, if the request ended with an error about scopes. */
const missingScopes = ({ error, identity }: Exchange): Pick<AuditEntry, "missing_scopes"> =>
  error?._tag === "InsufficientScope"
    ? { missing_scopes: error.required.filter((scope) => identity?.scopes.includes(scope) !== true) }
    : {}

const byRule = (decision: Decision): Pick<AuditEntry, "missing_scopes" | "reason" | "rule"> => ({
  rule: decision.rule ?? "default",
  ...(decision._tag === "MissingScopes" ? { missing_scopes: decision.missing } : {}),
  ...(decision._tag === "Denied" ? { reason: shownText(decision.reason) } : {})
})

/** The operation of a message from which only the method and the tool were read. */
const measuredOperations = ({ measured }: Exchange): ReadonlyArray<Operation> => {
  if (measured?.method === undefined) return []
  const { method, tools: [tool] } = measured
  return [{ method, subject: tool === undefined ? undefined : { kind: "tool", name: tool }, arguments: undefined }]
}

/** Writes the audit entries of an exchange: one for each of its messages, or one for a request without any. */
export type Audit = (exchange: Exchange, ended: Ending | undefined) => Effect.Effect<void>

/**
 * Builds the function that writes the audit entries of an exchange; `undefined` if there is no audit log.
 *
 * @param settings of the one MCP server
 * @param withoutResponse the status to write if there was no response
 */
export const makeAudit = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  withoutResponse: number | undefined
): Effect.fn.Return<Audit | undefined, never, Digest.Digest | Mac.Mac> {
  const write = yield* AuditLog
  if (write === undefined) return undefined
  const digest = yield* Digest.Digest
  const callerOf = yield* makeAuditedCaller(settings)
  const argumentsOf = makeAuditedArguments(settings.auditArguments)

  const messageOf = (exchange: Exchange, operation: Operation): Partial<AuditEntry> => {
    const shown = shownOperation(operation, exchange.authorization)
    const { subject } = operation
    const values = subject?.kind === "tool" ? argumentsOf(subject.name, operation.arguments) : undefined
    return values === undefined ? shown : { ...shown, arguments: values }
  }

  return Effect.fnUntraced(function*(exchange, ended) {
    if (!isAudited(exchange)) return
    const { decisions = [], error, identity, operations = measuredOperations(exchange), request, wasSent } = exchange
    const elapsed = Number((yield* Clock.currentTimeNanos) - exchange.startedAtNanos) / 1e6
    const address = clientAddress(settings.trustedProxies, exchange)
    const session = yield* sessionDigest(digest, exchange)
    const head = {
      // @effect-diagnostics-next-line globalDateInEffect:off -- formats a given time
      time: new Date((yield* Clock.currentTimeMillis) - elapsed).toISOString(),
      ...idsOf(exchange),
      ...(exchange.trace === undefined ? {} : { span_id: exchange.trace.span.spanId }),
      ...(settings.serverName === "" ? {} : { server: settings.serverName }),
      ...(address === undefined ? {} : { client_address: address }),
      ...(identity === undefined ? {} : yield* callerOf(identity)),
      ...(session === undefined ? {} : { session }),
      http_method: shownText(request.method)
    }
    const { status = withoutResponse } = exchange
    const foot = {
      ...(status === undefined ? {} : { status }),
      ...(ended === undefined ? {} : { ended }),
      duration_ms: Math.round(elapsed * 1000) / 1000
    }
    const whole = requestDecision(error, wasSent)
    const failure = error === undefined ? {} : {
      error: error._tag,
      ...("reason" in error ? { reason: error.reason } : {})
    }
    if (operations.length === 0) {
      return write({ ...head, decision: whole, ...missingScopes(exchange), ...failure, ...foot })
    }
    for (const [index, operation] of operations.entries()) {
      const decision = decisions[index]
      const decided = decision === undefined
        ? { decision: whole, ...missingScopes(exchange), ...failure }
        : { decision: messageDecision(decision, whole), ...failure, ...byRule(decision) }
      write({ ...head, ...messageOf(exchange, operation), ...decided, ...foot })
    }
  })
})

/** Combines the writers of log entries and of audit entries, if there is an audit log. */
export const withAudit = (log: Audit, audit: Audit | undefined): Audit =>
  audit === undefined
    ? log
    : (exchange, ended) =>
      // The audit entries come first: they must be written even if the log fails.
      Effect.andThen(
        Effect.catchDefect(audit(exchange, ended), (defect) => logFault(exchange, defect)),
        log(exchange, ended)
      )

/** The step of the course that checks the rules. Pure. */
import * as Result from "effect/Result"
import { Admission } from "../../authorize/Admission.ts"
import { scopesOf, standingScopes } from "../../authorize/requireScopes.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { DeniedByRule, type GatewayError, InsufficientScope, TokenRequired } from "../../errors/GatewayError.ts"
import { withoutStack } from "../../errors/withoutStack.ts"
import type { Identity } from "../../identity/Identity.ts"
import { type Operation, readOperations } from "../../message/operation.ts"
import { forOneRequest } from "../../rules/condition.ts"
import { decide } from "../../rules/decide.ts"
import type { Decision } from "../../rules/Decision.ts"
import type { Policy } from "../../rules/Policy.ts"
import { argumentsDecide } from "../../rules/publicRules.ts"
import type { Exchange } from "../Exchange.ts"

/** The rules' decision about a request with messages: the admission to continue with, or the error. */
type Ruled = Result.Result<Admission, GatewayError>

/** The step that checks the rules. A request without a token has no admission. */
export interface Ruling {
  readonly body: (exchange: Exchange, admission: Admission | undefined, body: Uint8Array) => Ruled
  /** Decides about messages that have already been read. */
  readonly operations: (
    exchange: Exchange,
    admission: Admission | undefined,
    operations: ReadonlyArray<Operation>
  ) => Ruled
}

const ruleName = (rule: number | undefined): string => rule === undefined ? "the default rule" : `rule ${rule}`

const tokenRequired = (
  { requiredScopes }: Pick<GatewaySettings, "requiredScopes">,
  scopes: ReadonlyArray<string>,
  detail: string
): TokenRequired =>
  withoutStack(() => new TokenRequired({ required: [...new Set([...requiredScopes, ...scopes])], detail }))

/**
 * Returns the error of a request, given the decisions about its messages; `undefined` if all are allowed.
 *
 * A missing token takes precedence; after it, the first message that is not allowed.
 */
export const rejectionBy = (
  settings: GatewaySettings,
  decisions: ReadonlyArray<Decision>,
  identity: Identity | undefined
): TokenRequired | DeniedByRule | InsufficientScope | undefined => {
  const unauthenticated = decisions.filter((decision) => decision._tag === "Unauthenticated")
  const [first] = unauthenticated
  if (first !== undefined) {
    const scopes = unauthenticated.flatMap(({ scopes }) => scopes)
    return tokenRequired(settings, scopes, `${ruleName(first.rule)} asks for a token`)
  }
  for (const decision of decisions) {
    if (decision._tag === "Denied") {
      const { reason, rule } = decision
      return withoutStack(() => new DeniedByRule({ rule, detail: `${ruleName(rule)} denies it: ${reason}` }))
    }
    if (decision._tag === "MissingScopes" && identity !== undefined) {
      // The scopes that all messages of the request need together, so that the client requests them at once.
      const required = decisions.flatMap((other) => other._tag === "MissingScopes" ? other.required : [])
      return withoutStack(() =>
        new InsufficientScope({
          required: [...new Set([...standingScopes(settings, identity), ...required])],
          detail: `${ruleName(decision.rule)}; ${scopesOf(identity)}`
        })
      )
    }
  }
  return undefined
}

/**
 * Builds the step that reads the operations of a body, and checks the rules for each of them.
 *
 * All of them must be allowed. Operations and decisions are recorded in the exchange.
 *
 * @param nowMillis returns the time of day
 */
export const makeRuling = (settings: GatewaySettings, policy: Policy, nowMillis: () => number): Ruling => {
  const options = { argumentsDecide: argumentsDecide(policy) }

  const ruled: Ruling["operations"] = (exchange, admission, operations) => {
    exchange.operations = operations
    const identity = admission?.identity
    const context = { server: settings.serverName, now: nowMillis() }
    const decisions = forOneRequest(() => operations.map((operation) => decide(policy, operation, identity, context)))
    exchange.decisions = decisions
    const rejected = rejectionBy(settings, decisions, identity)
    if (rejected !== undefined) return Result.fail(rejected)
    if (admission !== undefined) return Result.succeed(admission)
    return operations.length === 0
      // The body has only responses to requests of the server. Without a token, it is unknown which caller the server
      // asked.
      ? Result.fail(tokenRequired(settings, [], "responses to the server need a token"))
      : Result.succeed(Admission.byRules())
  }

  return {
    operations: ruled,
    body: (exchange, admission, body) => {
      const operations = readOperations(body, options)
      if (Result.isSuccess(operations)) return ruled(exchange, admission, operations.success)
      const { failure } = operations
      // Without a token, clients learn only that a token is required.
      return Result.fail(admission === undefined ? tokenRequired(settings, [], failure.detail) : failure)
    }
  }
}

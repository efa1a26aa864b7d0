/** The steps about the caller that a token describes: whether it is listed, its scopes, and the rules. Pure. */
import * as Result from "effect/Result"
import { requireListed } from "../authorize/requireListed.ts"
import { requireScopes, standingScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { showAll } from "../errors/show.ts"
import { rejectionBy } from "../http/course/ruling.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"
import { decide } from "../rules/decide.ts"
import type { Decision } from "../rules/Decision.ts"
import type { Policy } from "../rules/Policy.ts"
import type { ExplainOptions, Step } from "./Explanation.ts"

/** A step, and the error that a request would end with because of it. */
export interface CallerStep {
  readonly step: Step
  readonly error?: GatewayError | undefined
}

const passes = (name: Step["name"], expected: string, found: string): CallerStep => ({
  step: { name, verdict: "pass", expected, found }
})

const skips = (name: Step["name"], expected: string, found: string): CallerStep => ({
  step: { name, verdict: "skipped", expected, found }
})

const noCaller = "not checked, because there is no caller"

const scopesOf = ({ scopes }: Identity): string => scopes.length === 0 ? "no scopes" : showAll(scopes)

const listStep = (settings: GatewaySettings, identity: Identity | undefined): ReadonlyArray<CallerStep> => {
  const { allowedEmailDomains, allowedEmails, allowedSubjects } = settings
  const lists = [
    ...(allowedSubjects.length === 0 ? [] : ["MCP_ALLOWED_SUBJECTS"]),
    ...(allowedEmails.length === 0 ? [] : ["MCP_ALLOWED_EMAILS"]),
    ...(allowedEmailDomains.length === 0 ? [] : ["MCP_ALLOWED_EMAIL_DOMAINS"])
  ]
  if (lists.length === 0) return []
  const expected = `a caller of ${lists.join(" or ")}`
  if (identity === undefined) return [skips("callers", expected, noCaller)]
  const listed = requireListed(settings, identity)
  if (Result.isSuccess(listed)) return [passes("callers", expected, "the caller is listed")]
  const error = listed.failure
  const fix = `Add the caller to ${lists[0]} if it may call, or sign in as someone who is listed.`
  return [{ step: { name: "callers", verdict: "fail", expected, found: error.detail, fix }, error }]
}

const askFor = (missing: ReadonlyArray<string>): string =>
  `Have the client request ${showAll(missing)} in addition, and the provider grant it to this caller.`

const scopeStep = (settings: GatewaySettings, identity: Identity | undefined): CallerStep => {
  const { requiredScopes, scopeImplies } = settings
  const required = identity === undefined ? requiredScopes : standingScopes(settings, identity)
  const expected = required.length === 0 ? "none (MCP_REQUIRED_SCOPES is empty)" : `all of ${showAll(required)}`
  if (identity === undefined) return skips("required scopes", expected, noCaller)
  const has = requireScopes(settings, identity)
  if (Result.isSuccess(has)) {
    return passes("required scopes", expected, required.length === 0 ? "none are required" : scopesOf(identity))
  }
  const missing = required.filter((scope) => !scopeImplies.has(identity.scopes, scope))
  return {
    step: {
      name: "required scopes",
      verdict: "fail",
      expected,
      found: `${scopesOf(identity)}; missing: ${showAll(missing)}`,
      fix: askFor(missing)
    },
    error: has.failure
  }
}

/** The message that would be checked against the rules. */
export const operationOf = (options: ExplainOptions): Operation | undefined => {
  const { arguments: given, tool } = options
  const method = options.method ?? (tool === undefined ? undefined : "tools/call")
  if (method === undefined) return undefined
  return { method, subject: tool === undefined ? undefined : { kind: "tool", name: tool }, arguments: given }
}

const shownOperation = ({ method, subject }: Operation): string =>
  subject === undefined ? method : `${method} of ${JSON.stringify(subject.name)}`

const shownRule = ({ otherwise, rules }: Policy, decision: Decision): string => {
  const rule = rules.find(({ index }) => index === decision.rule)
  if (rule === undefined) return `no rule matches, so the default rule decides: ${otherwise}`
  const demands = [
    ...(rule.anyone ? ["anyone may"] : []),
    ...(rule.scopes.length === 0 ? [] : [`scopes ${showAll(rule.scopes)}`]),
    ...(rule.when === undefined ? [] : [`when ${rule.when.text}`])
  ]
  return `rule ${rule.index}: ${demands.length === 0 ? "any caller with a token" : demands.join(", and ")}`
}

const foundBy = (decision: Decision, identity: Identity): string => {
  switch (decision._tag) {
    case "MissingScopes":
      return `${scopesOf(identity)}; missing: ${showAll(decision.missing)}`
    case "Denied":
      return decision.reason
    default:
      return scopesOf(identity)
  }
}

const fixRule = (policy: Policy, decision: Decision): string => {
  if (decision._tag === "MissingScopes") return askFor(decision.missing)
  return decision.rule === undefined
    ? "Write a rule that allows it, before the default rule applies (MCP_RULES, MCP_DEFAULT_RULE)."
    : `Change rule ${decision.rule} of ${policy.rules.length}, or write one before it that allows this.`
}

const ruleStep = (
  settings: GatewaySettings,
  identity: Identity | undefined,
  options: ExplainOptions,
  nowMillis: number
): ReadonlyArray<CallerStep> => {
  const { policy, serverName } = settings
  const operation = operationOf(options)
  if (policy === undefined) {
    return operation === undefined
      ? []
      : [passes("rules", "no rules (MCP_RULES)", `${shownOperation(operation)} is allowed`)]
  }
  if (operation === undefined) {
    return [
      skips("rules", `one of ${policy.rules.length} rules allows the request`, "not asked: name a method or a tool")
    ]
  }
  if (identity === undefined) return [skips("rules", `a rule allows ${shownOperation(operation)}`, noCaller)]
  const decision = decide(policy, operation, identity, { server: serverName, now: nowMillis })
  const expected = shownRule(policy, decision)
  const rule = policy.rules.find(({ index }) => index === decision.rule)
  if (rule?.when?.needsArguments === true && operation.arguments === undefined) {
    const found = `${shownOperation(operation)}, whose arguments decide`
    return [{
      step: { name: "rules", verdict: "unknown", expected, found, fix: "Give the arguments of the call as well." }
    }]
  }
  const error = rejectionBy(settings, [decision], identity)
  if (error === undefined) return [passes("rules", expected, `${shownOperation(operation)} is allowed`)]
  return [{
    step: {
      name: "rules",
      verdict: "fail",
      expected,
      found: foundBy(decision, identity),
      fix: fixRule(policy, decision)
    },
    error
  }]
}

/** The steps about a caller, in the order of the gateway. */
export const callerSteps = (
  settings: GatewaySettings,
  identity: Identity | undefined,
  options: ExplainOptions,
  nowMillis: number
): ReadonlyArray<CallerStep> => [
  ...listStep(settings, identity),
  scopeStep(settings, identity),
  ...ruleStep(settings, identity, options, nowMillis)
]

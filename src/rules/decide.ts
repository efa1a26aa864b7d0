/** Who may do what, by the rules. Pure. */
import type { Identity } from "../identity/Identity.ts"
import type { Operation, Subject } from "../message/operation.ts"
import type { ConditionInput } from "./condition.ts"
import type { Decision } from "./Decision.ts"
import { type Glob, matchesAny } from "./Glob.ts"
import type { Policy, Rule } from "./Policy.ts"

/** What a decision depends on in addition to the caller and the message. */
export type DecideContext = Pick<ConditionInput, "server" | "now">

const globsFor = (rule: Rule, kind: Subject["kind"]): ReadonlyArray<Glob> | undefined => {
  switch (kind) {
    case "tool":
      return rule.tools
    case "prompt":
      return rule.prompts
    case "resource":
      return rule.resources
  }
}

const namesSubjects = ({ prompts, resources, tools }: Rule): boolean =>
  tools !== undefined || prompts !== undefined || resources !== undefined

const matchesSubject = (rule: Rule, subject: Subject | undefined): boolean => {
  if (!namesSubjects(rule)) return true
  const globs = subject === undefined ? undefined : globsFor(rule, subject.kind)
  return subject !== undefined && globs !== undefined && matchesAny(globs, subject.name)
}

const matches = (rule: Rule, { method, subject }: Operation): boolean =>
  (rule.methods === undefined || matchesAny(rule.methods, method)) && matchesSubject(rule, subject)

const byDefault = ({ otherwise }: Policy, caller: Identity | undefined): Decision => {
  if (caller === undefined) return { _tag: "Unauthenticated", rule: undefined, scopes: [] }
  return otherwise === "deny"
    ? { _tag: "Denied", rule: undefined, reason: "no rule matches, and the default rule is deny" }
    : { _tag: "Allow", rule: undefined }
}

/**
 * Decides whether a caller may send a message: the first rule that matches it decides, or the default rule.
 *
 * @param caller `undefined`: there was no token
 */
export const decide = (
  policy: Policy,
  operation: Operation,
  caller: Identity | undefined,
  { now, server }: DecideContext
): Decision => {
  const rule = policy.rules.find((rule) => matches(rule, operation))
  if (rule === undefined) return byDefault(policy, caller)
  const { index, scopes, when } = rule
  if (rule.anyone) return { _tag: "Allow", rule: index }
  if (caller === undefined) return { _tag: "Unauthenticated", rule: index, scopes }
  // Before the scopes: nobody is to ask for a scope that would not help.
  const result = when?.test({ identity: caller, claims: caller.claims, message: operation, server, now }) ?? "true"
  if (result !== "true") {
    const reason = result === "false" ? "its condition is false" : `its condition failed: ${result.error}`
    return { _tag: "Denied", rule: index, reason }
  }
  const missing = scopes.filter((scope) => !policy.implies.has(caller.scopes, scope))
  return missing.length === 0
    ? { _tag: "Allow", rule: index }
    : { _tag: "MissingScopes", rule: index, required: scopes, missing }
}

/** The methods by which a subject is used; an item of a list is kept if one of them may be allowed. */
const usingMethods: { readonly [Kind in Subject["kind"]]: string } = {
  tool: "tools/call",
  prompt: "prompts/get",
  resource: "resources/read"
}

/**
 * Whether a caller could use what a list shows: `false` only where no scope would make it allowed.
 *
 * A condition that looks at arguments may be true for some; scopes that are missing, and a token, can be had.
 */
export const couldUse = (
  policy: Policy,
  subject: Subject,
  caller: Identity | undefined,
  { now, server }: DecideContext
): boolean => {
  const message: Operation = { method: usingMethods[subject.kind], subject, arguments: undefined }
  const rule = policy.rules.find((rule) => matches(rule, message))
  if (rule === undefined) return policy.otherwise !== "deny"
  if (rule.when === undefined || caller === undefined || rule.when.needsArguments) return true
  return rule.when.test({ identity: caller, claims: caller.claims, message, server, now }) === "true"
}

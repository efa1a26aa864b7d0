/** Decides by the rules who may do what. Pure. */
import type { Identity } from "../identity/Identity.ts"
import type { Operation, Subject } from "../message/operation.ts"
import type { ConditionInput } from "./condition.ts"
import type { Decision } from "./Decision.ts"
import { type Glob, matchesAny } from "./Glob.ts"
import { plainGlob, plainUri, withoutQuery } from "./plainUri.ts"
import type { Policy, Rule } from "./Policy.ts"
import { coverOf } from "./template.ts"

/** The input of a decision, in addition to the caller and the message. */
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

/** @param patternOf converts patterns to the form in which they are compared */
const matchesSubject = (rule: Rule, subject: Subject | undefined, patternOf: (glob: Glob) => Glob): boolean => {
  if (!namesSubjects(rule)) return true
  const globs = subject === undefined ? undefined : globsFor(rule, subject.kind)
  return subject !== undefined && globs !== undefined && globs.some((glob) => patternOf(glob).matches(subject.name))
}

const asWritten = (glob: Glob): Glob => glob

const matches = (rule: Rule, { method, subject }: Operation, patternOf: (glob: Glob) => Glob = asWritten): boolean =>
  (rule.methods === undefined || matchesAny(rule.methods, method)) && matchesSubject(rule, subject, patternOf)

const byDefault = ({ otherwise }: Policy, caller: Identity | undefined): Decision => {
  if (caller === undefined) return { _tag: "Unauthenticated", rule: undefined, scopes: [] }
  return otherwise === "deny"
    ? { _tag: "Denied", rule: undefined, reason: "no rule matches, and the default rule is deny" }
    : { _tag: "Allow", rule: undefined }
}

const decideBy = (
  policy: Policy,
  rule: Rule | undefined,
  operation: Operation,
  caller: Identity | undefined,
  { now, server }: DecideContext
): Decision => {
  if (rule === undefined) return byDefault(policy, caller)
  const { index, scopes, when } = rule
  if (rule.anyone) return { _tag: "Allow", rule: index }
  if (caller === undefined) return { _tag: "Unauthenticated", rule: index, scopes }
  // Checked before the scopes, so that no client requests scopes that would not help.
  const result = when?.test({ identity: caller, claims: caller.claims, message: operation, server, now }) ?? "true"
  if (result !== "true") {
    return result === "false"
      ? { _tag: "Denied", rule: index, reason: "its condition is false" }
      : { _tag: "Denied", rule: index, reason: `its condition failed: ${result.error}`, failed: true }
  }
  const missing = scopes.filter((scope) => !policy.implies.has(caller.scopes, scope))
  return missing.length === 0
    ? { _tag: "Allow", rule: index }
    : { _tag: "MissingScopes", rule: index, required: scopes, missing }
}

const severity: { readonly [Tag in Decision["_tag"]]: number } = {
  Allow: 0,
  MissingScopes: 1,
  Unauthenticated: 2,
  Denied: 3
}

/** Returns whether a rule matches only one spelling of a resource. */
const looksAtResources = ({ rules }: Policy): boolean =>
  rules.some(({ resources, when }) => resources !== undefined || when !== undefined)

/**
 * Decides about all URIs that a server may read this URI as. If one of them is denied, so is the message.
 *
 * If no rule matches the plain form, the default rule decides: dots in a URI may lead out of what is allowed.
 */
const decideRespelled = (
  policy: Policy,
  operation: Operation,
  uri: string,
  caller: Identity | undefined,
  context: DecideContext
): ReadonlyArray<Decision> => {
  const plain = plainUri(uri)
  const bare = withoutQuery(plain)
  if (bare === uri || !looksAtResources(policy)) return []
  const decideAs = (name: string): Decision => {
    const respelled: Operation = { ...operation, subject: { kind: "resource", name } }
    const rule = policy.rules.find((rule) => matches(rule, respelled, plainGlob))
    return decideBy(policy, rule, respelled, caller, context)
  }
  const forBare = bare === plain ? [] : [decideAs(bare)].filter(({ rule }) => rule !== undefined)
  return plain === uri ? forBare : [decideAs(plain), ...forBare]
}

/**
 * Decides whether a caller may send a message. The first rule that matches decides, or the default rule if none does.
 *
 * A resource is checked by its URI as written, and by the URIs that servers may read it as; the stricter decision
 * counts.
 *
 * @param caller `undefined` if there is no token
 */
export const decide = (
  policy: Policy,
  operation: Operation,
  caller: Identity | undefined,
  context: DecideContext
): Decision => {
  const decided = decideBy(policy, policy.rules.find((rule) => matches(rule, operation)), operation, caller, context)
  if (operation.subject?.kind !== "resource") return decided
  return decideRespelled(policy, operation, operation.subject.name, caller, context).reduce<Decision>(
    (strictest, other) => severity[other._tag] > severity[strictest._tag] ? other : strictest,
    decided
  )
}

/** The methods that use a subject. A list item is kept if one of them may be allowed. */
const usingMethods: { readonly [Kind in Subject["kind"]]: string } = {
  tool: "tools/call",
  prompt: "prompts/get",
  resource: "resources/read"
}

/**
 * Returns whether the rule could allow a message: a condition on arguments may be true, and scopes or a token can be
 * obtained.
 */
const couldAllow = (
  { when }: Rule,
  message: Operation,
  caller: Identity | undefined,
  { now, server }: DecideContext
): boolean =>
  when === undefined || caller === undefined || when.needsArguments ||
  when.test({ identity: caller, claims: caller.claims, message, server, now }) === "true"

/**
 * Returns whether a caller could use a list item: `false` only if no scopes would allow it.
 *
 * A condition on arguments may be true for some arguments; missing scopes, and a token, can be requested.
 */
export const couldUse = (
  policy: Policy,
  subject: Subject,
  caller: Identity | undefined,
  context: DecideContext
): boolean => {
  const message: Operation = { method: usingMethods[subject.kind], subject, arguments: undefined }
  const rule = policy.rules.find((rule) => matches(rule, message))
  return rule === undefined ? policy.otherwise !== "deny" : couldAllow(rule, message, caller, context)
}

/**
 * `couldUse` for a resource template: whether a caller could use any resource that the template describes.
 *
 * An expression in braces matches any text, so several rules may decide about such resources. Rules after one that
 * decides about all of them do not count. Conditions see the template as the name of the resource.
 *
 * Source: MCP 2025-11-25, resource templates; RFC 6570.
 */
export const couldUseTemplate = (
  policy: Policy,
  template: string,
  caller: Identity | undefined,
  context: DecideContext
): boolean => {
  const message: Operation = {
    method: usingMethods.resource,
    subject: { kind: "resource", name: template },
    arguments: undefined
  }
  for (const rule of policy.rules) {
    if (rule.methods !== undefined && !matchesAny(rule.methods, message.method)) continue
    const cover = namesSubjects(rule) ? coverOf(rule.resources ?? [], template) : "All"
    if (cover !== "None" && couldAllow(rule, message, caller, context)) return true
    if (cover === "All") return false
  }
  return policy.otherwise !== "deny"
}

/** What a list item requires of every caller. */
export interface Requirement {
  readonly anyone: boolean
  readonly scopes: ReadonlyArray<string>
}

/** Returns what the rules require for a tool, prompt or resource. */
export const requirementOf = (policy: Policy, subject: Subject): Requirement => {
  const message: Operation = { method: usingMethods[subject.kind], subject, arguments: undefined }
  const rule = policy.rules.find((rule) => matches(rule, message))
  return { anyone: rule?.anyone ?? false, scopes: rule?.scopes ?? [] }
}

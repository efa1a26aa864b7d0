/** Whether rules can decide anything. Pure. */
import type { Subject } from "../message/operation.ts"
import { Glob, matchesAny } from "./Glob.ts"
import type { Rule } from "./Policy.ts"
import { methodsOf } from "./subjects.ts"

/** The part of a rule that decides which messages it matches. */
export type Matcher = Pick<Rule, "methods" | "tools" | "prompts" | "resources">

/** The kinds of subjects that a rule names, with their patterns; empty for a rule that matches regardless of them. */
export const subjectsOf = (
  { prompts, resources, tools }: Matcher
): ReadonlyArray<readonly [kind: Subject["kind"], globs: ReadonlyArray<Glob>]> => [
  ...(tools === undefined ? [] : [["tool", tools] as const]),
  ...(prompts === undefined ? [] : [["prompt", prompts] as const]),
  ...(resources === undefined ? [] : [["resource", resources] as const])
]

/** The patterns among `methods` that match no method by which the rule's subjects are used. */
export const uselessMethods = (matcher: Matcher): ReadonlyArray<number> => {
  const kinds = subjectsOf(matcher)
  if (kinds.length === 0) return []
  const methods = kinds.flatMap(([kind]) => methodsOf[kind])
  return (matcher.methods ?? []).flatMap((glob, index) => methods.some((method) => glob.matches(method)) ? [] : [index])
}

/** The kinds of subjects that the rule names, but that none of its `methods` is used for. */
export const uselessKinds = (matcher: Matcher): ReadonlyArray<Subject["kind"]> => {
  const { methods } = matcher
  if (methods === undefined) return []
  return subjectsOf(matcher).flatMap(([kind]) =>
    methodsOf[kind].some((method) => matchesAny(methods, method)) ? [] : [kind]
  )
}

const coverAll = (globs: ReadonlyArray<Glob>, others: ReadonlyArray<Glob>): boolean =>
  others.every((other) => globs.some((glob) => glob.covers(other)))

/** The methods that a rule can match: its patterns, or those by which its subjects are used; `undefined`: every one. */
const methodsMatched = (matcher: Matcher): ReadonlyArray<Glob> | undefined => {
  const kinds = subjectsOf(matcher)
  if (matcher.methods !== undefined || kinds.length === 0) return matcher.methods
  return kinds.flatMap(([kind]) => methodsOf[kind].map((method) => new Glob(method)))
}

/** Whether the first rule matches every message that the second one matches; `false` also if that is hard to decide. */
export const coversRule = (first: Matcher, second: Matcher): boolean => {
  const methods = methodsMatched(second)
  if (first.methods !== undefined && (methods === undefined || !coverAll(first.methods, methods))) return false
  const kinds = new Map(subjectsOf(first))
  if (kinds.size === 0) return true
  const others = subjectsOf(second)
  return others.length > 0 && others.every(([kind, globs]) => coverAll(kinds.get(kind) ?? [], globs))
}

/** Detects rules that can never decide anything. Pure. */
import type { Subject } from "../message/operation.ts"
import { Glob, matchesAny } from "./Glob.ts"
import type { Rule } from "./Policy.ts"
import { methodsOf } from "./subjects.ts"

/** The members of a rule that determine which messages it matches. */
export type Matcher = Pick<Rule, "methods" | "tools" | "prompts" | "resources">

/** The kinds of subjects that a rule names, with their patterns; empty for a rule that does not depend on subjects. */
export const subjectsOf = (
  { prompts, resources, tools }: Matcher
): ReadonlyArray<readonly [kind: Subject["kind"], globs: ReadonlyArray<Glob>]> => [
  ...(tools === undefined ? [] : [["tool", tools] as const]),
  ...(prompts === undefined ? [] : [["prompt", prompts] as const]),
  ...(resources === undefined ? [] : [["resource", resources] as const])
]

/** Returns the patterns among `methods` that match none of the methods with the rule's subjects. */
export const uselessMethods = (matcher: Matcher): ReadonlyArray<number> => {
  const kinds = subjectsOf(matcher)
  if (kinds.length === 0) return []
  const methods = kinds.flatMap(([kind]) => methodsOf[kind])
  return (matcher.methods ?? []).flatMap((glob, index) => methods.some((method) => glob.matches(method)) ? [] : [index])
}

/** Returns the kinds of subjects that the rule names, but that none of its `methods` has. */
export const uselessKinds = (matcher: Matcher): ReadonlyArray<Subject["kind"]> => {
  const { methods } = matcher
  if (methods === undefined) return []
  return subjectsOf(matcher).flatMap(([kind]) =>
    methodsOf[kind].some((method) => matchesAny(methods, method)) ? [] : [kind]
  )
}

const coverAll = (globs: ReadonlyArray<Glob>, others: ReadonlyArray<Glob>): boolean =>
  others.every((other) => globs.some((glob) => glob.covers(other)))

/** Returns the methods that a rule can match: its patterns, or those with its subjects; `undefined` for all methods. */
const methodsMatched = (matcher: Matcher): ReadonlyArray<Glob> | undefined => {
  const kinds = subjectsOf(matcher)
  if (matcher.methods !== undefined || kinds.length === 0) return matcher.methods
  return kinds.flatMap(([kind]) => methodsOf[kind].map((method) => new Glob(method)))
}

/**
 * Returns whether the first rule matches every message that the second one matches. May be `false` in cases that are
 * hard to decide.
 */
export const coversRule = (first: Matcher, second: Matcher): boolean => {
  const methods = methodsMatched(second)
  if (first.methods !== undefined && (methods === undefined || !coverAll(first.methods, methods))) return false
  const kinds = new Map(subjectsOf(first))
  if (kinds.size === 0) return true
  const others = subjectsOf(second)
  return others.length > 0 && others.every(([kind, globs]) => coverAll(kinds.get(kind) ?? [], globs))
}

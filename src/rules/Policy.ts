/** The rules of one MCP server: who may do what. */
import type { Condition } from "./condition.ts"
import type { Glob } from "./Glob.ts"
import type { ScopeHierarchy } from "./ScopeHierarchy.ts"

/**
 * One rule.
 *
 * The rule matches a message by its method, if `methods` are given, and by its subject (a tool, a prompt or a
 * resource), if any of `tools`, `prompts` and `resources` is given.
 */
export interface Rule {
  /** The position among the rules, from 1. */
  readonly index: number
  readonly methods: ReadonlyArray<Glob> | undefined
  readonly tools: ReadonlyArray<Glob> | undefined
  readonly prompts: ReadonlyArray<Glob> | undefined
  readonly resources: ReadonlyArray<Glob> | undefined
  /** Whether no token is needed. If so, there are neither `scopes` nor `when`. */
  readonly anyone: boolean
  /** Scopes that the caller must have, all of them. */
  readonly scopes: ReadonlyArray<string>
  /** A condition that must be true as well. */
  readonly when: Condition | undefined
}

/**
 * The decision about a message that no rule matches (`MCP_DEFAULT_RULE`): it is allowed for every caller with a valid
 * token, or for none.
 */
export const defaultRules = ["authenticated", "deny"] as const

export type DefaultRule = (typeof defaultRules)[number]

/** The rules of one MCP server, in order, and the default if none of them matches. */
export interface Policy {
  readonly rules: ReadonlyArray<Rule>
  readonly otherwise: DefaultRule
  readonly implies: ScopeHierarchy
}

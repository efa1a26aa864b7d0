/** Rules about tokens: verifiers check them, and operators read what they expect. Pure. */
import type { Rejection } from "./Rejection.ts"

/** The names of the rules that a token must pass, in the order in which they are shown. */
export const ruleNames = [
  "form",
  "provider",
  "kind",
  "algorithm",
  "key",
  "signature",
  "endpoint",
  "verifier",
  "times",
  "issuer",
  "audience",
  "client",
  "subject",
  "scopes"
] as const

/** One of `ruleNames`. */
export type RuleName = (typeof ruleNames)[number]

export interface TokenRule<in Token> {
  readonly name: RuleName
  /** Returns why the rule rejects the token; `undefined` if it does not. */
  readonly check: (token: Token) => Rejection | undefined
  readonly expected: (token: Token) => string
  /** Describes what the token contains. Only for the operator: it may be unproven. */
  readonly found: (token: Token) => string
}

export const firstRejection = <Token>(
  rules: ReadonlyArray<TokenRule<Token>>,
  token: Token
): Rejection | undefined => {
  for (const { check } of rules) {
    const rejected = check(token)
    if (rejected !== undefined) return rejected
  }
  return undefined
}

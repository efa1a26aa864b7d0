/** Rules about tokens, as verifiers check them and as operators read them. Pure. */
import type { Rejection } from "./Rejection.ts"

/** The names of the rules that a token must pass before its caller is known, in the order for people. */
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

/** One rule about a token. */
export interface TokenRule<in Token> {
  readonly name: RuleName
  /** Returns why the rule rejects the token; `undefined` if it does not. */
  readonly check: (token: Token) => Rejection | undefined
  /** What the rule expects, in words. */
  readonly expected: (token: Token) => string
  /** What the token has, in words. Only for the operator: it may be unproven. */
  readonly found: (token: Token) => string
}

/** Returns the rejection of the first rule that rejects a token. */
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

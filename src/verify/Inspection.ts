/**
 * The result of every rule about one token. A verification stops at the first rule that rejects the token; an
 * inspection goes on.
 */
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { JsonObject } from "../remote/JsonObject.ts"
import { type Rejection, toInvalidToken } from "./Rejection.ts"
import type { RuleName, TokenRule } from "./TokenRule.ts"

export interface Finding {
  readonly rule: RuleName
  readonly expected: string
  readonly found: string
  /** Why the rule rejects the token; `undefined` if it does not, or was not checked. */
  readonly error?: VerificationError | undefined
  /** Whether the rule was not checked because something that it needs is missing. */
  readonly isSkipped?: boolean
}

/** The settings of the responsible provider, from which advice is derived. */
export interface InspectedRules {
  readonly issuer?: string | undefined
  readonly audience?: ReadonlyArray<string> | undefined
  readonly allowedClients?: ReadonlyArray<string> | undefined
  /** The claims that name the client; `undefined` for the default ones. */
  readonly clientClaims?: ReadonlyArray<string> | undefined
  readonly algorithms?: ReadonlyArray<JwsAlgorithm> | undefined
}

/** The result of an inspection by a provider's verifier. */
export interface Inspection {
  /** In the order of the verification: the first finding with an error is why the token is rejected. */
  readonly findings: ReadonlyArray<Finding>
  /** The claims of the token, or the provider's description of it, as far as they can be read. Unproven. */
  readonly claims?: JsonObject | undefined
  readonly rules?: InspectedRules | undefined
  /** The caller that the claims describe. Proven only if no finding has an error. */
  readonly identity?: Identity | undefined
  /** How far the provider's clock is ahead of this one, in seconds. */
  readonly clockDifference?: number | undefined
}

/** The inspection of a token, and how its provider was selected. */
export interface InspectedToken extends Inspection {
  readonly form: "jwt" | "opaque" | "listed"
  /** The responsible provider, and why it is; `undefined` if no provider is responsible. */
  readonly provider?: { readonly name: string; readonly chosenBy: string } | undefined
}

export const applied = <Token>(
  rules: ReadonlyArray<TokenRule<Token>>,
  token: Token,
  provider: string | undefined
): ReadonlyArray<Finding> =>
  rules.map(({ check, expected, found, name }) => {
    const rejected = check(token)
    return {
      rule: name,
      expected: expected(token),
      found: found(token),
      ...(rejected === undefined ? {} : { error: toInvalidToken(provider, rejected) })
    }
  })

/** A finding about a rule that rejects the token. */
export const rejectedBy = (
  rule: RuleName,
  expected: string,
  rejected: Rejection,
  provider: string | undefined
): Finding => ({ rule, expected, found: rejected.detail, error: toInvalidToken(provider, rejected) })

/** A finding about a rule that could not be checked. */
export const skipped = (rule: RuleName, expected: string, why: string): Finding => ({
  rule,
  expected,
  found: why,
  isSkipped: true
})

/** Returns why a token is rejected, given its findings; `undefined` if it is accepted. */
export const decisive = (
  findings: ReadonlyArray<Finding>
): (Finding & { readonly error: VerificationError }) | undefined => {
  for (const finding of findings) if (finding.error !== undefined) return { ...finding, error: finding.error }
  return undefined
}

/** The verification of opaque tokens: a request to the provider, and rules about its response. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import type { ProviderResponse } from "../../remote/ProviderHttp.ts"
import { type SpanName, traced } from "../../trace/spans.ts"
import type { CheckedClaims } from "../claims/claimRules.ts"
import { checkPresented, shownKind } from "../claims/tokenKind.ts"
import {
  applied,
  decisive,
  type Finding,
  type InspectedRules,
  type Inspection,
  rejectedBy,
  skipped
} from "../Inspection.ts"
import { peekJwt } from "../jwt/CompactJws.ts"
import { type Rejection, toInvalidToken } from "../Rejection.ts"
import { firstRejection, type TokenRule } from "../TokenRule.ts"
import type { QueryProvider } from "./VerifyOpaque.ts"

export interface OpaqueVerification<Claims extends CheckedClaims> {
  readonly name: string
  readonly span: SpanName
  /** The expectation of the rule `endpoint`, which the provider itself checks. */
  readonly expected: string
  /** Requests the provider's description of a token. Fails if the provider rejects the token, or does not respond. */
  readonly request: (token: BearerToken) => Effect.Effect<ProviderResponse, VerificationError>
  /** The rules for the description, in the order of the verification. */
  readonly rules: ReadonlyArray<TokenRule<Claims>>
  /** Prepares the provider's description for the rules. */
  readonly checked: (response: ProviderResponse, nowMillis: number) => Claims
  readonly identify: (claims: JsonObject) => Result.Result<Identity, Rejection>
  readonly identityRules: ReadonlyArray<TokenRule<Claims>>
  readonly settings: InspectedRules
}

export const makeQuery = <Claims extends CheckedClaims>(
  { checked, identify, name, request, rules, span }: OpaqueVerification<Claims>
): QueryProvider =>
  Effect.fnUntraced(
    function*(token) {
      const described = checked(yield* request(token), yield* Clock.currentTimeMillis)
      const rejected = firstRejection(rules, described)
      if (rejected !== undefined) return yield* toInvalidToken(name, rejected)
      return yield* Effect.mapError(Effect.fromResult(identify(described.claims)), (reason) =>
        toInvalidToken(name, reason))
    },
    (query) =>
      traced(span, () => ({ "mcp_authorizer.provider": name }), query)
  )

const kindExpected = "an access token"

/** The finding about what a JWT states about its kind, which is checked before the provider is requested. */
const presented = (token: BearerToken, name: string): ReadonlyArray<Finding> => {
  const jwt = peekJwt(Redacted.value(token))
  if (jwt === undefined) return []
  const rejected = checkPresented(jwt.claims, jwt.typ)
  return rejected === undefined
    ? [{ rule: "kind", expected: kindExpected, found: shownKind(jwt.claims, jwt.typ) }]
    : [rejectedBy("kind", kindExpected, rejected, name)]
}

/**
 * Builds the function that checks every rule about a token, for an operator. It sends the same request as the
 * verification.
 */
export const makeInspect = <Claims extends CheckedClaims>(
  { checked, expected, identify, identityRules, name, request, rules, settings }: OpaqueVerification<Claims>
): (token: BearerToken) => Effect.Effect<Inspection> => {
  const all = [...rules, ...identityRules]
  const others = [...new Set(all.map(({ name }) => name))].filter((name) => name !== "endpoint")

  const withoutClaims = (before: ReadonlyArray<Finding>, own: Finding, why: string, rest?: Partial<Inspection>) => ({
    findings: [
      ...before,
      own,
      ...others.filter((name) => !before.some(({ rule }) => rule === name)).map((name) => skipped(name, "", why))
    ],
    rules: settings,
    ...rest
  })

  return Effect.fnUntraced(function*(token): Effect.fn.Return<Inspection> {
    const before = presented(token, name)
    if (decisive(before) !== undefined) {
      const why = "not checked, because the provider is not asked about such a token"
      return withoutClaims(before, skipped("endpoint", expected, why), why)
    }
    const response = yield* Effect.result(request(token))
    if (Result.isFailure(response)) {
      const error = response.failure
      return withoutClaims(
        before,
        { rule: "endpoint", expected, found: error.detail ?? "the token lacks scopes", error },
        "not checked, because the provider says nothing about the token"
      )
    }
    const { clockDifference } = response.success
    const described = checked(response.success, yield* Clock.currentTimeMillis)
    const own = applied(rules.filter(({ name }) => name === "endpoint"), described, name)
    const rejected = decisive(own)
    if (rejected !== undefined) {
      const why = "not checked, because the provider says nothing else about the token"
      return withoutClaims(before, rejected, why, { clockDifference })
    }
    const findings = [...before, ...applied(all, described, name)]
    const identity = identify(described.claims)
    return {
      findings,
      claims: described.claims,
      rules: settings,
      identity: Result.isSuccess(identity) ? identity.success : undefined,
      clockDifference
    }
  })
}

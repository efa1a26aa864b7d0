/**
 * The rules about the claims of a token, and about a provider's description of a token (RFC 7519, section 4.1; RFC
 * 7662). Pure.
 */
import * as Result from "effect/Result"
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { Rejection } from "../Rejection.ts"
import type { TokenRule } from "../TokenRule.ts"
import { type AudienceRules, checkAudience, expectedAudience } from "./audience.ts"
import { checkClient, expectedClient, shownClients } from "./client.ts"
import { readScopes } from "./scopes.ts"
import { readSubject, readUser, type SubjectRules } from "./subject.ts"
import { checkIsAccessToken, checkIsBearer, shownKind } from "./tokenKind.ts"
import { checkValidity, expectedTimes, shownTimes } from "./validity.ts"

/** Claims, and the settings and values that they are checked against. */
export interface CheckedClaims {
  readonly claims: JsonObject
  readonly rules: AudienceRules & SubjectRules
  /** Seconds since 1970, with fractions. */
  readonly now: number
  /** Tolerance for times, in seconds. */
  readonly skew: number
  readonly requireExpiry: boolean
  /** The `typ` of the token's header, if it has one: lower case, without `application/`. */
  readonly typ: string | undefined
  /** Whether `typ` is that of access tokens. */
  readonly isAccessType: boolean
}

type ClaimRule = TokenRule<CheckedClaims>

/** The token is an access token. */
export const kindRule: ClaimRule = {
  name: "kind",
  check: ({ claims, isAccessType }) => checkIsAccessToken(claims, isAccessType) ?? checkIsBearer(claims),
  expected: () => "an access token that anyone may present (a bearer token)",
  found: (token) => kindRule.check(token)?.detail ?? shownKind(token.claims, token.typ)
}

/** The token has not expired, and is already valid. */
export const timesRule: ClaimRule = {
  name: "times",
  check: ({ claims, now, requireExpiry, skew }) => checkValidity(claims, { now, skew, requireExpiry }),
  expected: expectedTimes,
  found: ({ claims, now }) => shownTimes(claims, now)
}

/** The token was issued for this MCP server. */
export const audienceRule: ClaimRule = {
  name: "audience",
  check: ({ claims, rules }) => checkAudience(claims, rules),
  expected: ({ rules }) => expectedAudience(rules),
  found: ({ claims }) => {
    const aud = own(claims, "aud")
    return Array.isArray(aud) ? showAll(aud) : show(aud)
  }
}

export const clientRule: ClaimRule = {
  name: "client",
  check: ({ claims, rules }) => checkClient(claims, rules.allowedClients, rules),
  expected: ({ rules }) => expectedClient(rules.allowedClients),
  found: ({ claims, rules }) => shownClients(claims, rules)
}

const failureOf = (result: Result.Result<unknown, Rejection>): Rejection | undefined =>
  Result.isFailure(result) ? result.failure : undefined

/** The token names a caller. The verifier applies this rule when it builds the identity. */
export const subjectRule: ClaimRule = {
  name: "subject",
  check: ({ claims, rules }) => failureOf(readSubject(claims, rules)),
  expected: ({ rules: { subjectClaims = ["sub"] } }) => `${subjectClaims.join(" or ")}, or the client of a program`,
  found: ({ claims, rules }) => {
    const subject = readSubject(claims, rules)
    if (Result.isFailure(subject)) return subject.failure.detail
    return `${show(subject.success.subject)}, a ${subject.success.principal === "client" ? "program" : "user"}`
  }
}

/** The description of the token names its user. The verifier applies this rule when it builds the identity. */
export const userRule: ClaimRule = {
  name: "subject",
  check: ({ claims, rules }) => failureOf(readUser(claims, rules)),
  expected: ({ rules: { subjectClaims = ["sub"] } }) => subjectClaims.join(" or "),
  found: ({ claims, rules }) =>
    Result.match(readUser(claims, rules), { onFailure: ({ detail }) => detail, onSuccess: (subject) => show(subject) })
}

/** The scopes of the token can be read. The verifier applies this rule when it builds the identity. */
export const scopesRule: ClaimRule = {
  name: "scopes",
  check: ({ claims, rules }) => failureOf(readScopes(claims, rules)),
  expected: ({ rules: { scopeClaims = ["scope", "scp"] } }) =>
    `${scopeClaims.join(" or ")}: words, or an array of words`,
  found: ({ claims, rules }) => {
    const scopes = readScopes(claims, rules)
    if (Result.isFailure(scopes)) return scopes.failure.detail
    return scopes.success.length === 0 ? "no scopes" : showAll(scopes.success)
  }
}

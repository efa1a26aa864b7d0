/** The identity of the caller, from verified claims. Pure. */
import * as Result from "effect/Result"
import type { ClaimNames } from "../../config/GatewaySettings.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import type { Rejection } from "../Rejection.ts"
import { boundedClaims } from "./bounded.ts"
import { readClientId } from "./client.ts"
import { type EmailRules, readEmail } from "./email.ts"
import { defaultGroupClaims, readGroups } from "./groups.ts"
import { readScopes } from "./scopes.ts"
import { readSubject, readUser, type Subject } from "./subject.ts"
import { readText } from "./text.ts"
import { expiresAt } from "./validity.ts"

/** The settings of a provider that determine the identity. */
export interface IdentityRules extends EmailRules, ClaimNames {
  readonly name: string
  readonly issuer: string
  /** The claims with groups and roles, as paths; the default ones if left out. */
  readonly groupClaims?: ReadonlyArray<string> | undefined
}

/** The parts of an identity that only rules read. */
const forRules = (
  claims: JsonObject,
  { groupClaims = defaultGroupClaims }: IdentityRules
): Pick<Identity, "claims" | "groups" | "incomplete"> => {
  const bounded = boundedClaims(claims)
  const { groups, isComplete } = readGroups(claims, groupClaims)
  const incomplete = [
    ...(bounded.isComplete ? [] : ["claims" as const]),
    ...(isComplete ? [] : ["groups" as const])
  ]
  return {
    ...(groups.length === 0 ? {} : { groups }),
    ...(incomplete.length === 0 ? {} : { incomplete }),
    claims: bounded.claims
  }
}

/**
 * Builds an identity.
 *
 * @param caller the parts of the identity that depend on the kind of provider
 */
const identityOf = (
  claims: JsonObject,
  rules: IdentityRules,
  { expiresAt, issuer, principal, scopes, subject }: Pick<
    Identity,
    "expiresAt" | "issuer" | "principal" | "scopes" | "subject"
  >
): Identity => ({
  subject,
  principal,
  clientId: readClientId(claims, rules),
  issuer,
  scopes,
  ...readEmail(claims, rules),
  name: readText(claims, "name"),
  provider: rules.name,
  expiresAt,
  ...forRules(claims, rules)
})

const identityOfToken = (
  claims: JsonObject,
  rules: IdentityRules,
  issuer: string,
  found: Result.Result<Subject, Rejection>
): Result.Result<Identity, Rejection> =>
  Result.flatMap(
    found,
    (subject) =>
      Result.map(readScopes(claims, rules), (scopes) =>
        identityOf(claims, rules, { ...subject, issuer, scopes, expiresAt: expiresAt(claims) }))
  )

/** Builds the identity that claims describe. Without `iss` among them, the issuer is the provider's. */
export const identityFromClaims = (claims: JsonObject, rules: IdentityRules): Result.Result<Identity, Rejection> =>
  identityOfToken(claims, rules, readText(claims, "iss") ?? rules.issuer, readSubject(claims, rules))

/**
 * Builds the identity that a userinfo response describes: a user, without expiry, scopes or a separate issuer.
 *
 * The caller must have a `sub`: a client id does not replace it here.
 */
export const identityFromUserinfo = (
  userinfo: JsonObject,
  rules: IdentityRules
): Result.Result<Identity, Rejection> =>
  Result.map(
    readUser(userinfo, rules),
    (subject) =>
      identityOf(userinfo, rules, {
        subject,
        principal: "user",
        issuer: rules.issuer,
        scopes: [],
        expiresAt: undefined
      })
  )

/** Builds the identity that a description of a token (`tokeninfo`) contains: a user, with the token's scopes and expiry. */
export const identityFromTokeninfo = (claims: JsonObject, rules: IdentityRules): Result.Result<Identity, Rejection> =>
  identityOfToken(
    claims,
    rules,
    rules.issuer,
    Result.map(readUser(claims, rules), (subject) => ({ subject, principal: "user" }))
  )

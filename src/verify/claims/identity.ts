/** The identity of the caller, from verified claims. Pure. */
import * as Result from "effect/Result"
import type { Identity } from "../../identity/Identity.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import type { Rejection } from "../Rejection.ts"
import { readClientId } from "./client.ts"
import { readEmail } from "./email.ts"
import { readScopes } from "./scopes.ts"
import { readSubject } from "./subject.ts"
import { readText } from "./text.ts"
import { expiresAt } from "./validity.ts"

/** The settings of a provider that determine the identity. */
export interface IdentityRules {
  /** The provider's name. */
  readonly name: string
  readonly issuer: string
  /** Leave the e-mail address out unless `email_verified` is true. If `false`: leave it out only if that is false. */
  readonly requireVerifiedEmail: boolean
}

/**
 * Builds the identity that claims describe.
 *
 * @param provider its issuer is used if the claims have no `iss`
 */
export const identityFromClaims = (
  claims: JsonObject,
  { issuer, name, requireVerifiedEmail }: IdentityRules
): Result.Result<Identity, Rejection> => {
  const subject = readSubject(claims)
  if (Result.isFailure(subject)) return Result.fail(subject.failure)
  return Result.map(readScopes(claims), (scopes) => ({
    ...subject.success,
    clientId: readClientId(claims),
    issuer: readText(claims, "iss") ?? issuer,
    scopes,
    email: readEmail(claims, requireVerifiedEmail),
    name: readText(claims, "name"),
    provider: name,
    expiresAt: expiresAt(claims),
    claims
  }))
}

/**
 * Builds the identity that a userinfo response describes: a user, without expiry, scopes or an issuer of its own.
 *
 * A client id does not replace a missing `sub` here.
 */
export const identityFromUserinfo = (
  userinfo: JsonObject,
  { issuer, name, requireVerifiedEmail }: IdentityRules
): Identity | undefined => {
  const subject = readText(userinfo, "sub")
  return subject === undefined || subject === "" ? undefined : {
    subject,
    principal: "user",
    clientId: readClientId(userinfo),
    issuer,
    scopes: [],
    email: readEmail(userinfo, requireVerifiedEmail),
    name: readText(userinfo, "name"),
    provider: name,
    expiresAt: undefined,
    claims: userinfo
  }
}

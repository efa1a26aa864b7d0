/** Who bears a token, from claims that are already proven. Pure. */
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

/** How the claims of a provider become an identity. */
export interface IdentityRules {
  /** The provider's name. */
  readonly name: string
  readonly issuer: string
  /** Leave an e-mail address out unless `email_verified` is true; else it is left out only if that is false. */
  readonly requireVerifiedEmail: boolean
}

/**
 * Makes the identity that claims describe.
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
 * Makes the identity that a userinfo answer describes: about a person, with no end, no scopes and no issuer of its own.
 *
 * A client id is no substitute for the `sub` here.
 */
export const identityFromUserinfo = (
  answer: JsonObject,
  { issuer, name, requireVerifiedEmail }: IdentityRules
): Identity | undefined => {
  const subject = readText(answer, "sub")
  return subject === undefined || subject === "" ? undefined : {
    subject,
    principal: "user",
    clientId: readClientId(answer),
    issuer,
    scopes: [],
    email: readEmail(answer, requireVerifiedEmail),
    name: readText(answer, "name"),
    provider: name,
    expiresAt: undefined,
    claims: answer
  }
}

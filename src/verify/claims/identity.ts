/** Who bears a token, from claims that are already proven. Pure. */
import * as Result from "effect/Result"
import type { Identity } from "../../identity/Identity.ts"
import type { JsonObject } from "../../keys/JsonObject.ts"
import type { Refusal } from "../Refusal.ts"
import { readScopes } from "./scopes.ts"
import { readClientId, readSubject, readText } from "./subject.ts"
import { expiresAt } from "./validity.ts"

/**
 * Makes the identity that claims describe.
 *
 * @param issuer used if the claims have no `iss`
 */
export const identityFromClaims = (
  claims: JsonObject,
  provider: string,
  issuer: string
): Result.Result<Identity, Refusal> => {
  const subject = readSubject(claims)
  if (Result.isFailure(subject)) return Result.fail(subject.failure)
  return Result.map(readScopes(claims), (scopes) => ({
    subject: subject.success,
    clientId: readClientId(claims),
    issuer: readText(claims, "iss") ?? issuer,
    scopes,
    email: readText(claims, "email"),
    name: readText(claims, "name"),
    provider,
    expiresAt: expiresAt(claims),
    claims
  }))
}

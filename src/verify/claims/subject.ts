/** The subject of a token: a user or a program, never both (RFC 7519, section 4.1.2; RFC 9068, section 2.2). Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { readClientId } from "./client.ts"
import { scopesOf } from "./scopes.ts"
import { maxTextLength, readText } from "./text.ts"

/** Claims about a user, or about a user's login session. Programs have neither. */
const personClaims = [
  "sid",
  "session_state",
  "session_id",
  "sessionId",
  "auth_time",
  "amr",
  "nonce",
  "at_hash",
  "preferred_username",
  "username",
  "user_name",
  "user_id",
  "userId",
  "user",
  "uid",
  "login",
  "login_hint",
  "cognito:username",
  "upn",
  "unique_name",
  "email",
  "email_verified",
  "phone_number",
  "phone_number_verified",
  "given_name",
  "middle_name",
  "family_name",
  "nickname",
  "picture",
  "birthdate",
  // RFC 9493, section 4.1, and RFC 8693, section 4.1: the subject is in another claim, or an actor represents it.
  "sub_id",
  "act"
]

// OpenID Connect Core 1.0, sections 3.1.2.1, 5.4 and 11: scopes that a client requests for a user.
const personScopes: ReadonlySet<string> = new Set(["openid", "profile", "email", "address", "phone", "offline_access"])

/** Claims that name how a token was obtained, and their values for programs: Auth0, SAP and UAA, Entra, WSO2. */
const grantClaims: ReadonlyArray<readonly [name: string, ofPrograms: ReadonlyArray<unknown>]> = [
  ["gty", ["client-credentials", "client_credentials"]],
  ["grant_type", ["client_credentials"]],
  ["idtyp", ["app"]],
  ["aut", ["APPLICATION"]]
]

const saysProgram = (claims: JsonObject): boolean =>
  grantClaims.some(([name, ofPrograms]) => ofPrograms.includes(own(claims, name)))

/** Returns the claim that shows that a token was not obtained the way programs do. */
const otherGrant = (claims: JsonObject): string | undefined =>
  grantClaims.find(([name, ofPrograms]) => (own(claims, name) ?? "") !== "" && !ofPrograms.includes(own(claims, name)))
    ?.[0]

/** Returns why a token seems to belong to a user's session; `undefined` if nothing indicates this. */
const personSign = (claims: JsonObject): string | undefined => {
  const claim = personClaims.find((name) => (own(claims, name) ?? "") !== "")
  if (claim !== undefined) return `it has the claim ${claim}`
  const grant = otherGrant(claims)
  if (grant !== undefined) return `its claim ${grant} is not that of a program`
  const scope = scopesOf(claims).find((one) => personScopes.has(one))
  return scope === undefined ? undefined : `it has the scope ${scope}`
}

/** Claims of a login. A user whose name looks like that of a service account has them. */
const sessionClaims = ["sid", "session_state", "auth_time", "nonce"]

/** Whether this is a service account: Keycloak names the account of a program after its client. */
const isServiceAccount = (claims: JsonObject): boolean =>
  readText(claims, "preferred_username")?.toLowerCase() ===
    `service-account-${readClientId(claims) ?? ""}`.toLowerCase() &&
  sessionClaims.every((name) => own(claims, name) === undefined)

/** The subject of a token: a user, or a program that acts for itself. */
export interface Subject {
  readonly subject: string
  readonly principal: "user" | "client"
}

/** Decides the kind of a caller with a subject: a program if the token states this, or if the subject is its client. */
const principalOf = (claims: JsonObject, subject: string): Subject["principal"] =>
  saysProgram(claims) || isServiceAccount(claims) ||
    (subject === readClientId(claims) && personSign(claims) === undefined)
    ? "client"
    : "user"

const withoutSubject = (sign: string): Rejection =>
  rejection(
    "MissingClaim",
    `the token has no sub but belongs to a person's session (${sign}), so all users of its client would have the same identity: ` +
      "configure the provider to put sub into access tokens (in Keycloak the client scope basic, or no lightweight access tokens), " +
      "or use introspection"
  )

/**
 * Reads `sub`, a non-empty string of at most 1024 characters, or the client of a machine token without `sub`.
 *
 * A token of a user's session without `sub` is rejected, because its client is not the user. Control characters are
 * allowed, because every place that forwards the subject encodes it.
 */
export const readSubject = (claims: JsonObject): Result.Result<Subject, Rejection> => {
  const given = own(claims, "sub")
  if (given !== undefined) {
    const subject = readText(claims, "sub")
    if (given === "") return Result.fail(rejection("MissingClaim", "sub is empty"))
    return subject === undefined
      ? Result.fail(rejection("ValidationFailed", `sub is not a string of at most ${maxTextLength} characters`))
      : Result.succeed({ subject, principal: principalOf(claims, subject) })
  }
  const client = readClientId(claims)
  if (client === undefined) return Result.fail(rejection("MissingClaim", "neither sub nor a client id"))
  const sign = personSign(claims)
  return sign === undefined
    ? Result.succeed({ subject: client, principal: "client" })
    : Result.fail(withoutSubject(sign))
}

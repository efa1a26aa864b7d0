/** The subject of a token: a user or a program, never both (RFC 7519, section 4.1.2; RFC 9068, section 2.2). Pure. */
import * as Result from "effect/Result"
import type { ClaimNames } from "../../config/GatewaySettings.ts"
import { firstClaim, type FoundClaim } from "../../identity/claimPath.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { readClientId } from "./client.ts"
import { type EmailRules, readEmail } from "./email.ts"
import { scopesOf } from "./scopes.ts"
import { maxTextLength, readText, textOf } from "./text.ts"

/** Claims about a user, or about a user's login session. Tokens of programs have neither. */
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
  // The subject is in another claim (RFC 9493, section 4.1), or an actor represents it (RFC 8693, section 4.1).
  "sub_id",
  "act"
]

// Scopes that clients request only for users (OpenID Connect Core 1.0, sections 3.1.2.1, 5.4 and 11).
const personScopes: ReadonlySet<string> = new Set(["openid", "profile", "email", "address", "phone", "offline_access"])

/**
 * Claims that state how a token was obtained, with the values that stand for programs: Auth0, SAP and UAA, Entra, WSO2.
 */
const grantClaims: ReadonlyArray<readonly [name: string, ofPrograms: ReadonlyArray<unknown>]> = [
  ["gty", ["client-credentials", "client_credentials"]],
  ["grant_type", ["client_credentials"]],
  ["idtyp", ["app"]],
  ["aut", ["APPLICATION"]]
]

const saysProgram = (claims: JsonObject): boolean =>
  grantClaims.some(([name, ofPrograms]) => ofPrograms.includes(own(claims, name)))

/** Returns the claim that shows that the token was obtained in a way that programs do not use. */
const otherGrant = (claims: JsonObject): string | undefined =>
  grantClaims.find(([name, ofPrograms]) => (own(claims, name) ?? "") !== "" && !ofPrograms.includes(own(claims, name)))
    ?.[0]

/** Returns why a token seems to belong to a user's session; `undefined` if nothing indicates this. */
const personSign = (claims: JsonObject, names: ClaimNames): string | undefined => {
  const claim = personClaims.find((name) => (own(claims, name) ?? "") !== "")
  if (claim !== undefined) return `it has the claim ${claim}`
  const grant = otherGrant(claims)
  if (grant !== undefined) return `its claim ${grant} is not that of a program`
  const scope = scopesOf(claims, names).find((one) => personScopes.has(one))
  return scope === undefined ? undefined : `it has the scope ${scope}`
}

/** Claims of a login. A user has them, even if the user's name looks like that of a service account. */
const sessionClaims = ["sid", "session_state", "auth_time", "nonce"]

/** Returns whether the caller is a service account: Keycloak names such an account after its client. */
const isServiceAccount = (claims: JsonObject, names: ClaimNames): boolean =>
  readText(claims, "preferred_username")?.toLowerCase() ===
    `service-account-${readClientId(claims, names) ?? ""}`.toLowerCase() &&
  sessionClaims.every((name) => own(claims, name) === undefined)

/** The subject of a token: a user, or a program that acts for itself. */
export interface Subject {
  readonly subject: string
  readonly principal: "user" | "client"
}

/** Returns the kind of a caller: a program if the token states this, or if the subject is the client itself. */
const principalOf = (claims: JsonObject, subject: string, names: ClaimNames): Subject["principal"] =>
  saysProgram(claims) || isServiceAccount(claims, names) ||
    (subject === readClientId(claims, names) && personSign(claims, names) === undefined)
    ? "client"
    : "user"

/** Returns the `sub` that a user's token has although the configured subject claims are missing, if it does. */
const otherSubject = (claims: JsonObject, names: ClaimNames): string | undefined => {
  const sub = own(claims, "sub")
  return sub === undefined || saysProgram(claims) || sub === readClientId(claims, names)
    ? undefined
    : "it has the claim sub"
}

const withoutSubject = (sign: string, subjectClaims: ReadonlyArray<string>): Rejection =>
  rejection(
    "MissingClaim",
    `the token has no ${
      subjectClaims.join(" or ")
    } but belongs to a person's session (${sign}), so all users of its client would have the same identity: ` +
      "configure the provider to put sub into access tokens (in Keycloak the client scope basic, or no lightweight access tokens), " +
      "or use introspection"
  )

/** The settings of a provider that determine the subject. */
export interface SubjectRules extends ClaimNames, Partial<EmailRules> {}

const defaultSubjectClaims: ReadonlyArray<string> = ["sub"]

/**
 * Reads a subject as text. Integers are allowed, because GitHub and GitLab use them as ids, except in `sub`, which is a
 * string by definition (RFC 7519, section 4.1.2).
 */
const subjectText = ({ path, value }: FoundClaim): string | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && path !== "sub" ? String(value) : textOf(value)

const unverifiedEmail = rejection(
  "ValidationFailed",
  "the subject is the claim email, and email_verified is not true; MCP_REQUIRE_VERIFIED_EMAIL=false would accept addresses " +
    "without email_verified"
)

/**
 * Reads a claim that names the subject. An e-mail address counts only if it is verified, because users can enter any
 * other.
 */
const readSubjectClaim = (
  claims: JsonObject,
  found: FoundClaim,
  { trustEmail = false }: SubjectRules
): Result.Result<string, Rejection> => {
  const { path, value } = found
  if (value === "") return Result.fail(rejection("MissingClaim", `${path} is empty`))
  const subject = subjectText(found)
  if (subject === undefined) {
    return Result.fail(
      rejection("ValidationFailed", `${path} is not a string of at most ${maxTextLength} characters`)
    )
  }
  return path === "email" &&
      readEmail(claims, { requireVerifiedEmail: !trustEmail, trustEmail }).emailVerified !== true
    ? Result.fail(unverifiedEmail)
    : Result.succeed(subject)
}

/**
 * Reads the subject: `sub`, or the first present claim of `subjectClaims`, as a non-empty string of at most 1024
 * characters. For a machine token without such a claim, the client is the subject.
 *
 * A token of a user's session without `sub` is rejected, because its client is not the user. Control characters are
 * allowed, because every place that forwards the subject encodes it.
 */
export const readSubject = (claims: JsonObject, rules: SubjectRules = {}): Result.Result<Subject, Rejection> => {
  const { subjectClaims = defaultSubjectClaims } = rules
  const found = firstClaim(claims, subjectClaims)
  if (found !== undefined) {
    return Result.map(readSubjectClaim(claims, found, rules), (subject) => ({
      subject,
      principal: principalOf(claims, subject, rules)
    }))
  }
  const client = readClientId(claims, rules)
  if (client === undefined) {
    return Result.fail(rejection("MissingClaim", `neither ${subjectClaims.join(", ")} nor a client id`))
  }
  const sign = personSign(claims, rules) ??
    (rules.subjectClaims === undefined ? undefined : otherSubject(claims, rules))
  return sign === undefined
    ? Result.succeed({ subject: client, principal: "client" })
    : Result.fail(withoutSubject(sign, subjectClaims))
}

/** Reads the subject of claims that describe a user. A client never replaces it. */
export const readUser = (claims: JsonObject, rules: SubjectRules): Result.Result<string, Rejection> => {
  const { subjectClaims = defaultSubjectClaims } = rules
  const found = firstClaim(claims, subjectClaims)
  return found === undefined
    ? Result.fail(rejection("MissingClaim", `${subjectClaims.join(" or ")} is missing`))
    : readSubjectClaim(claims, found, rules)
}

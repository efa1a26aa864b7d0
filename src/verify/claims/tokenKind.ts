/** The kind of a token, and whether it is an access token (RFC 8725, sections 3.11 and 3.12). Pure. */
import { show } from "../../errors/show.ts"
import { isJsonObject, type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

/** What one statement says about the kind of a token. */
type Kind = "Access" | "Bound" | "Other" | "Nothing"

/**
 * Words, without `token`, that name access tokens: RFC 9068, RFC 6750, Keycloak (`Bearer`), Cognito, Hydra, Casdoor
 * (`access-token`), and the token type identifiers of RFC 8693.
 */
const accessWord = /^(?:bearer|at|at\+jwt|access|(?:personal|user|app|application|service|api|oauth2?)_?access)$/

/** Access tokens that require a proof of possession, which this gateway does not verify. */
const boundWord = /^(?:dpop|pop|mac)$/

/** Words for the format of a token, which do not name its kind. */
const formatWord = /^(?:|jwt|jws|jose)$/

/** Words for other kinds of tokens, with their names for the log. */
const otherWords: ReadonlyMap<string, string> = new Map([
  ["id", "an ID token"],
  ["serialized_id", "an ID token"],
  ["refresh", "a refresh token"],
  ["dsr", "a refresh token"],
  ["rt", "a refresh token"],
  ["rt+jwt", "a refresh token"],
  ["offline", "an offline token, which is a refresh token"],
  ["logout", "a logout token"],
  ["logout+jwt", "a logout token"],
  ["secevent+jwt", "a security event token"],
  ["secevent", "a security event token"],
  ["dpop+jwt", "a DPoP proof"],
  ["vp+jwt", "a verifiable presentation"],
  ["vp", "a verifiable presentation"],
  ["vc+jwt", "a verifiable credential"],
  ["vc", "a verifiable credential"],
  ["vc+sd_jwt", "a verifiable credential"],
  ["dc+sd_jwt", "a verifiable credential"],
  ["oauth_authz_req+jwt", "a request object"],
  ["token_introspection+jwt", "an introspection response"],
  ["client_authentication+jwt", "a client assertion"]
])

/**
 * Normalizes `Refresh`, `refresh_token`, `RefreshToken` and `urn:ietf:params:oauth:token-type:refresh_token` to one word.
 */
const normalise = (word: string): string =>
  word.toLowerCase()
    .replace(/^application\//, "")
    .replace(/^urn:ietf:params:oauth:token-type:/, "")
    .replace(/[-\s]+/g, "_")
    .replace(/_?token$/, "")

/** A claim that states the kind of a token. */
interface Statement {
  readonly name: string
  /** Whether the claim has other uses as well, so that unknown words in it are ignored. */
  readonly ambiguous: boolean
}

const statements: ReadonlyArray<Statement> = [
  // Keycloak
  { name: "typ", ambiguous: false },
  // Cognito, Hydra
  { name: "token_use", ambiguous: false },
  // RFC 7662, section 2.2; older Hydra
  { name: "token_type", ambiguous: false },
  // OpenIddict
  { name: "token_usage", ambiguous: true },
  // Casdoor
  { name: "tokenType", ambiguous: true },
  // ForgeRock
  { name: "tokenName", ambiguous: true },
  // Curity
  { name: "purpose", ambiguous: true },
  // Descope: `DS` for sessions, `DSR` for refresh tokens, signed with the same keys
  { name: "drn", ambiguous: true },
  { name: "type", ambiguous: true }
]

const kindOf = (value: unknown, ambiguous: boolean): Kind => {
  if (value === undefined) return "Nothing"
  if (typeof value !== "string") return ambiguous ? "Nothing" : "Other"
  const word = normalise(value)
  if (formatWord.test(word)) return "Nothing"
  if (accessWord.test(word)) return "Access"
  if (boundWord.test(word)) return ambiguous ? "Nothing" : "Bound"
  return ambiguous && !otherWords.has(word) ? "Nothing" : "Other"
}

const notAccess = (what: string, because: string): Rejection =>
  rejection("ValidationFailed", `${what} (${because}), not an access token: the client sent the wrong token`)

const bound = (because: string): Rejection =>
  rejection("ValidationFailed", `a sender-constrained token (${because}), which is not accepted as a bearer token`)

const isOtherKind = (name: string, value: unknown): Rejection =>
  notAccess(
    typeof value === "string"
      ? otherWords.get(normalise(value)) ?? "a token of another kind"
      : "a token of another kind",
    `${name} is ${show(value)}`
  )

/**
 * Returns whether a claim is present and not empty. Some providers write every claim into every token, mostly as `""`.
 */
const has = (claims: JsonObject, name: string): boolean => {
  const value = own(claims, name)
  return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0)
}

// RFC 8417, section 2.2: `events` of a security event is an object. Access tokens may have an array of that name.
const isEvent = (claims: JsonObject): boolean => isJsonObject(own(claims, "events"))

/** Claims that only other kinds of tokens have, with the name of that kind. */
const contents: ReadonlyArray<readonly [has: (claims: JsonObject) => boolean, what: string, because: string]> = [
  [
    (claims) => isEvent(claims) && Object.keys(Object(own(claims, "events"))).some((event) => /logout/i.test(event)),
    "a logout token",
    "it has the claim events"
  ],
  [isEvent, "a security event token", "it has the claim events"],
  // W3C Verifiable Credentials Data Model 1.1, section 6.3.1, and 2.0, section 4.5
  [
    (claims) => isJsonObject(own(claims, "vp")) || isOfType(claims, "VerifiablePresentation"),
    "a verifiable presentation",
    "by its claims"
  ],
  [
    (claims) =>
      isJsonObject(own(claims, "vc")) || isOfType(claims, "VerifiableCredential") ||
      typeof own(claims, "vct") === "string",
    "a verifiable credential",
    "by its claims"
  ],
  // RFC 9701, section 5
  [(claims) => isJsonObject(own(claims, "token_introspection")), "an introspection response", "by its claims"]
]

const isOfType = (claims: JsonObject, type: string): boolean => [own(claims, "type")].flat().includes(type)

// OpenID Connect Core 1.0, sections 3.1.3.6, 3.3.2.11; Financial-grade API 1.0, part 2, section 5.1
const hashes = ["at_hash", "c_hash", "s_hash"]

/**
 * Claims that access tokens have and ID tokens lack: what the token permits (RFC 9068, section 2.2.3; Auth0's
 * `permissions`), and how its client obtained it (Auth0, SAP, Entra).
 */
const accessSigns = ["scope", "scp", "permissions", "gty", "grant_type", "idtyp", "azpacr", "appidacr"]

/**
 * Claims in which access tokens name their client (RFC 9068, section 2.2; Okta). ID tokens name it in `aud` and `azp`.
 */
const clientSigns = ["client_id", "cid"]

/**
 * Recognizes ID tokens that do not state their kind, by one of: claims that only ID tokens have; the `nonce` of the
 * login, which some providers repeat in access tokens, but only together with scopes; the client as the only audience,
 * if nothing else indicates an access token (OpenID Connect Core 1.0, section 2).
 */
const idTokenSign = (claims: JsonObject): string | undefined => {
  const hash = hashes.find((name) => has(claims, name))
  if (hash !== undefined) return `it has the claim ${hash}`
  if (accessSigns.some((name) => has(claims, name))) return undefined
  if (has(claims, "nonce")) return "it has a nonce and no scope"
  const azp = own(claims, "azp")
  const audience = [own(claims, "aud")].flat()
  const isForItsClient = typeof azp === "string" && audience.length === 1 && audience[0] === azp
  const isOfItsClient = own(claims, "sub") === azp || clientSigns.some((name) => has(claims, name))
  return isForItsClient && !isOfItsClient && has(claims, "sub")
    ? "its only audience is its client, and it has no scope"
    : undefined
}

/**
 * Returns what the claims state about the kind: that it is an access token (`Access`), nothing, or why it is another
 * kind.
 *
 * One statement of another kind outweighs any number of statements that it is an access token.
 *
 * @param lenient whether to ignore unknown words in every claim
 */
const stated = (claims: JsonObject, lenient = false): "Access" | "Nothing" | Rejection => {
  let says: "Access" | "Nothing" = "Nothing"
  for (const { ambiguous, name } of statements) {
    const value = own(claims, name)
    const kind = kindOf(value, ambiguous || lenient)
    if (kind === "Other") return isOtherKind(name, value)
    if (kind === "Bound") return bound(`${name} is ${show(value)}`)
    if (kind === "Access") says = kind
  }
  for (const [isSo, what, because] of contents) if (isSo(claims)) return notAccess(what, because)
  return says
}

/** Returns whether the claims state that the token is an access token. */
export const statesAccess = (claims: JsonObject): boolean => stated(claims) === "Access"

/**
 * Rejects tokens of other kinds: ID, refresh, offline and logout tokens, security events, verifiable presentations and
 * credentials.
 *
 * What a token states about itself (`typ`, `token_use`, `token_type` and similar claims, `events`) decides first. If it
 * states nothing, signs of ID tokens decide.
 *
 * @param isAccessToken whether the type in the header is that of an access token (RFC 9068, section 2.1)
 */
export const checkIsAccessToken = (claims: JsonObject, isAccessToken: boolean): Rejection | undefined => {
  const says = stated(claims)
  if (typeof says !== "string") return says
  if (isAccessToken || says === "Access") return undefined
  const sign = idTokenSign(claims)
  return sign === undefined ? undefined : notAccess("an ID token", sign)
}

/**
 * Describes how a token states that it is an access token. Only for tokens that `checkIsAccessToken` accepts.
 *
 * @param typ the type in its header
 */
export const shownKind = (claims: JsonObject, typ: string | undefined): string => {
  if (isAccessType(typ)) return `an access token: the header's typ is ${show(typ)}`
  const statement = statements.find(({ ambiguous, name }) => kindOf(own(claims, name), ambiguous) === "Access")
  if (statement !== undefined) return `an access token: ${statement.name} is ${show(own(claims, statement.name))}`
  const sign = accessSigns.find((name) => has(claims, name))
  return sign === undefined
    ? "taken as an access token: it does not state its kind, and nothing in it speaks against one"
    : `an access token by its content: it has ${sign}`
}

/**
 * Rejects an introspection response that names neither a caller nor a use of the token. Spring responds like this about
 * refresh tokens, which must not be accepted as tokens of their client.
 */
export const checkSaysUse = (claims: JsonObject): Rejection | undefined =>
  has(claims, "sub") || has(claims, "aud") || statesAccess(claims) || accessSigns.some((name) => has(claims, name))
    ? undefined
    : rejection(
      "MissingClaim",
      "introspection reports an active token without a caller or a use; it may be a refresh token"
    )

/**
 * Rejects sender-constrained tokens. Accepting them as plain bearer tokens would let a thief use them, which the issuer
 * meant to prevent (RFC 7800; RFC 8705, section 3; RFC 9449, section 7.1).
 */
export const checkIsBearer = (claims: JsonObject): Rejection | undefined =>
  own(claims, "cnf") === undefined ? undefined : bound("it has the claim cnf")

/** The type in the header of access tokens. */
const accessType = "at+jwt"
const isPlain = (typ: string | undefined): boolean => typ === undefined || typ === "jwt"

/**
 * Returns why the type in a header is not that of an access token: only `at+jwt` is accepted if it is required (RFC
 * 9068, section 4); otherwise `JWT` and no type are as well. ID tokens, logout tokens and others have types of their
 * own (RFC 8725, section 3.11).
 *
 * @param typ the type in lower case, without `application/`
 */
export const checkType = (typ: string | undefined, requireAccessTokenType: boolean): Rejection | undefined => {
  if (typ === accessType || (!requireAccessTokenType && isPlain(typ))) return undefined
  if (typ !== undefined && !isPlain(typ)) {
    return notAccess(otherWords.get(normalise(typ)) ?? "a token of another kind", `the header's typ is ${show(typ)}`)
  }
  return rejection(
    "ValidationFailed",
    `the header's typ is ${show(typ)}, but MCP_REQUIRE_AT_JWT requires ${show(accessType)} (RFC 9068)`
  )
}

/** Whether the type in a header states that this is an access token. */
export const isAccessType = (typ: string | undefined): boolean => typ === accessType

/**
 * Rejects a userinfo response that states that it describes another kind of token. Its other claims are about the user,
 * not the token.
 */
export const checkUserinfo = (claims: JsonObject): Rejection | undefined => {
  const says = stated(claims, true)
  return typeof says === "string" ? undefined : says
}

/**
 * Rejects a token that is verified at its provider, if it has the form of a JWT and states that it is not an access
 * token: some providers accept every token that they have issued.
 *
 * The claims are not verified, so this check can only reject.
 *
 * @param typ as for `checkType`. Types of access tokens other than `at+jwt` are left to the provider
 */
export const checkPresented = (claims: JsonObject, typ: string | undefined): Rejection | undefined => {
  const ownType = typ !== undefined && /(?:^|[-_.])at\+jwt$/.test(typ)
  return (typ !== undefined && !ownType && /\+(?:sd-)?jwt$/.test(typ) ? checkType(typ, false) : undefined) ??
    checkIsAccessToken(claims, ownType)
}

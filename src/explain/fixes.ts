/** What to do about each reason why a token is not accepted. Pure. */
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import type { InvalidTokenReason, VerificationError } from "../errors/GatewayError.ts"
import { show, showAll } from "../errors/show.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { namedClients } from "../verify/claims/client.ts"
import type { InspectedRules } from "../verify/Inspection.ts"
import type { RuleName } from "../verify/TokenRule.ts"

export interface FixContext {
  readonly claims: JsonObject
  readonly rules: InspectedRules
  /** All issuers that are configured, of every provider. */
  readonly issuers: ReadonlyArray<string>
  /** How far the provider's clock is ahead of this one, in seconds. */
  readonly clockDifference: number | undefined
  /** Seconds since 1970. */
  readonly now: number
  readonly skew: number
}

const withoutPort = (url: string): string | undefined => {
  if (!URL.canParse(url)) return undefined
  const { hostname, pathname, protocol } = new URL(url)
  return `${protocol}//${hostname}${pathname}`
}

/** Returns how two URLs differ that were probably meant to be the same; `undefined` if they are simply different. */
const slightDifference = (one: string, other: string): string | undefined => {
  const bare = [one, other].map(withoutSlash)
  if (bare[0] === bare[1]) return "only in the slash at the end"
  if (bare[0]?.toLowerCase() === bare[1]?.toLowerCase()) return "only in upper and lower case"
  const schemeless = bare.map((url) => url.replace(/^https?:\/\//iu, ""))
  if (schemeless[0] === schemeless[1]) return "only in http and https"
  const [first = "", second = ""] = bare
  if (first.startsWith(`${second}/`) || second.startsWith(`${first}/`)) return "only in the end of the path"
  const portless = withoutPort(first)
  return portless !== undefined && portless === withoutPort(second) ? "only in the port" : undefined
}

const slightlyOther = (given: ReadonlyArray<string>, expected: ReadonlyArray<string>) => {
  for (const one of given) {
    for (const other of expected) {
      const difference = slightDifference(one, other)
      if (difference !== undefined) return { one, other, difference }
    }
  }
  return undefined
}

const texts = (value: unknown): ReadonlyArray<string> =>
  [value].flat().filter((one): one is string => typeof one === "string")

const fixIssuer = ({ claims, issuers }: FixContext): string => {
  const iss = own(claims, "iss")
  if (typeof iss !== "string") return "Have the provider write iss into its tokens."
  const slight = slightlyOther([iss], issuers)
  if (slight !== undefined) {
    return `The two differ ${slight.difference}. Set the provider's issuer (MCP_JWT_ISSUER) to exactly ${show(iss)}.`
  }
  return `If ${
    show(iss)
  } is the right place to get tokens from, configure a provider with this issuer. Otherwise have the client ` +
    `sign in at ${showAll(issuers)}.`
}

const fixAudience = ({ claims, rules: { audience = [] } }: FixContext): string => {
  const given = texts(own(claims, "aud"))
  const slight = slightlyOther(given, audience)
  if (slight !== undefined) {
    return `${show(slight.one)} and ${
      show(slight.other)
    } differ ${slight.difference}. Make them the same: at the provider, or in ` +
      "MCP_JWT_AUDIENCE (MCP_PUBLIC_URL and MCP_PATH, where it is auto)."
  }
  const request =
    `Have the client request its token for ${show(audience[0])} (\`resource\`; \`audience\` at Auth0), or have the ` +
    "provider write it into aud (in Keycloak with an audience mapper in a client scope)."
  if (own(claims, "aud") === undefined) {
    return `${request} A provider that never writes aud, such as Cognito, needs MCP_ALLOWED_CLIENTS in its place.`
  }
  return `${request} Add ${
    showAll(given.slice(0, 1))
  } to MCP_JWT_AUDIENCE only if all tokens for it are meant for this MCP server.`
}

const fixClient = ({ claims, rules: { allowedClients = [], clientClaims } }: FixContext): string => {
  const client = namedClients(claims, { clientClaims }).map(([, one]) => one).find((one) =>
    typeof one === "string" && !allowedClients.includes(one)
  )
  return client === undefined
    ? `Have the provider write ${(clientClaims ?? ["client_id", "azp"]).join(" or ")} into its tokens, ` +
      "or check the audience in place of the client."
    : `Add ${show(client)} to MCP_ALLOWED_CLIENTS if this client may call, or sign in with one of ${
      showAll(allowedClients)
    }.`
}

const minutes = (seconds: number): string => {
  const size = Math.abs(seconds)
  if (size >= 7_200) return `${Math.round(size / 3_600)} hours`
  return size >= 120 ? `${Math.round(size / 60)} minutes` : `${size} seconds`
}

/** Describes the difference between the clocks; `undefined` if it is not known. */
export const clocks = (difference: number | undefined): string | undefined => {
  if (difference === undefined) return undefined
  return Math.abs(difference) <= 2
    ? "the provider's clock and this one agree"
    : `the provider's clock is ${minutes(difference)} ${difference > 0 ? "ahead of" : "behind"} this one`
}

const noClock = "Compare the clocks of this machine and the provider (NTP)"

const fixTimes = (reason: InvalidTokenReason, context: FixContext): string => {
  const { claims, clockDifference, now, skew } = context
  if (reason === "MissingClaim") {
    return "Have the provider write exp into its tokens: a token without an end is never accepted."
  }
  if (reason === "ValidationFailed") {
    const exp = own(claims, "exp")
    return typeof exp === "number" && exp > 100_000_000_000
      ? "Have the issuer write seconds since 1970: this looks like milliseconds."
      : "Have the issuer write seconds since 1970, as a number."
  }
  const there = now + (clockDifference ?? 0)
  const timeOf = (name: string): number | undefined => {
    const time = own(claims, name)
    return typeof time === "number" ? time : undefined
  }
  const isGoodThere = reason === "Expired"
    ? there < (timeOf("exp") ?? 0) + skew
    : ["nbf", "iat"].every((name) => (timeOf(name) ?? 0) <= there + skew)
  const difference = clocks(clockDifference)
  if (clockDifference !== undefined && Math.abs(clockDifference) > 2 && isGoodThere) {
    return `Correct the clock of this machine, or of the provider (NTP): ${difference}, and by the provider's clock the token is ${
      reason === "Expired" ? "still valid" : "valid already"
    }.`
  }
  if (reason === "Expired") {
    return `Get a new token; a client with a refresh token does that by itself. ${
      difference === undefined
        ? `${noClock} if new tokens have expired as well.`
        : `It is not the clock: ${difference}.`
    }`
  }
  return difference === undefined
    ? `${noClock}: the token was issued in the future.`
    : `The token is not valid yet by the provider's clock either (${difference}). Check the clock of what issues tokens, or wait.`
}

const fixKind = (detail: string): string => {
  if (/\bID token\b/u.test(detail)) return "Have the client send access_token, and not id_token, of the token response."
  if (/refresh token|offline/u.test(detail)) {
    return "Have the client exchange the refresh token for an access token at the token endpoint, and send that."
  }
  if (/MCP_REQUIRE_AT_JWT/u.test(detail)) {
    return "Have the provider issue access tokens as RFC 9068 says, or set MCP_REQUIRE_AT_JWT=false."
  }
  return /sender-constrained/u.test(detail)
    ? "Have the client request a plain bearer token: this one is bound to a key (DPoP or mTLS)."
    : "Have the client send the access token of the token response."
}

const fixAlgorithm = ({ rules: { algorithms } }: FixContext, detail: string): string => {
  const [, alg] = /^alg is "?([A-Za-z0-9]+)"?/u.exec(detail) ?? []
  if (alg === undefined || /^(?:HS\d+|none)$/iu.test(alg) || algorithms === undefined) {
    return "Have the client send the access token of the token response. If this is the access token, have the provider sign it with a " +
      "private key (RS256, ES256): every service that can check HS256 can also forge it, and none is not a signature."
  }
  return `Add ${alg} to MCP_JWT_ALGORITHM if the provider signs access tokens with it.`
}

const whereFrom =
  "Get a new token. If the next one fails as well, it comes from another realm, tenant or environment of the provider than the keys"

const fixKey = ({ rules: { issuer } }: FixContext): string =>
  `The provider has replaced the key, or the token is not from there. ${whereFrom}, or MCP_JWT_JWKS_URI does not belong to ` +
  `${show(issuer)}.`

const fixSignature = (detail: string): string =>
  /truncated/u.test(detail)
    ? "Copy the whole token: its end is missing, or something was added to it."
    : `The token was changed after it was signed, or was signed by another issuer. ${whereFrom}. Ory Hydra 2.3 names the old key in ` +
      "refreshed tokens after its key was replaced, and signs with the new one: users must sign in again."

/** What to do about a provider that does not respond. */
const fixUnavailable = (detail: string): string => {
  if (/MCP_CA_FILE/u.test(detail)) {
    return "Set MCP_CA_FILE to a PEM file with the certificate of the authority that signed the provider's certificate."
  }
  const [, named] = /it names the issuer ("[^"]*")/u.exec(detail) ?? []
  if (named !== undefined) {
    return `Set the provider's issuer (MCP_JWT_ISSUER) to exactly ${named}, if that is the same provider.`
  }
  const [, target] = /\bRedirect \d{3}, to ([^\s:,]+:\/\/[^\s:,]+(?::\d+[^\s:,]*)?)/u.exec(detail) ?? []
  if (target !== undefined) {
    return `Configure the URL that responds itself, such as ${target}: for keys with MCP_JWT_JWKS_URI, for metadata with ` +
      "MCP_DISCOVERY_URL. Redirects are not followed."
  }
  if (/gateway's credentials/u.test(detail)) {
    return "Check the client id and secret with which the gateway authenticates (MCP_CLIENT_ID, MCP_CLIENT_SECRET, MCP_CLIENT_AUTH)."
  }
  if (/no usable key|has no jwks_uri/u.test(detail)) return "Name the URL of the provider's keys with MCP_JWT_JWKS_URI."
  return "Check from this machine that the provider is running and that its URL is right (mcp-authorizer --check --online)."
}

const fixOpaque =
  "Get a new token: this one has expired, was revoked, or is from another provider. If a new one is inactive, too, check " +
  "whether the gateway's client may ask about tokens of other clients at the provider."

const fixProvider = (detail: string): string =>
  /cut off/u.test(detail)
    ? "Copy the whole token: parts of it are missing."
    : /encrypted token/u.test(detail)
    ? "Have the client name this MCP server when it requests the token (`resource`; `audience` at Auth0, which otherwise issues encrypted " +
      "tokens)."
    : /static tokens/u.test(detail)
    ? "Check the token for typing mistakes, or add it to MCP_STATIC_TOKENS."
    : "Have the client request its token for this MCP server (`resource`; `audience` at Auth0), so that the provider issues a JWT. If the " +
      "provider issues only such tokens, configure it with type introspection or userinfo."

/** Returns the warning about a rule that accepts a token; `undefined` if there is none. */
export const noteFor = (
  rule: RuleName,
  { claims, rules: { allowedClients, audience } }: FixContext
): string | undefined =>
  rule === "audience" && audience?.length === 0 && allowedClients?.length === 0
    ? `No audience is configured, so tokens for other services of the issuer are accepted. Set MCP_JWT_AUDIENCE${
      typeof own(claims, "aud") === "string" ? `, to ${show(own(claims, "aud"))} if that means this MCP server` : ""
    }.`
    : undefined

/** Returns what to do about a rule that does not accept a token. */
export const fixFor = (rule: RuleName, error: VerificationError, context: FixContext): string => {
  const { detail = "" } = error
  if (error._tag === "ProviderUnavailable") return fixUnavailable(detail)
  if (error._tag === "InsufficientScope") {
    return `Have the client request the scopes ${
      error.required.join(" ")
    }: the provider does not identify the caller without them.`
  }
  if (error._tag === "AccessDenied") {
    return "The verifier of this program denies the caller. Ask its operator for the reason."
  }
  switch (rule) {
    case "form":
      return "Copy the whole token in one piece: it was cut off or changed on its way."
    case "provider":
      return fixProvider(detail)
    case "kind":
      return fixKind(detail)
    case "algorithm":
      return fixAlgorithm(context, detail)
    case "key":
      return fixKey(context)
    case "signature":
      return fixSignature(detail)
    case "endpoint":
    case "verifier":
      return fixOpaque
    case "times":
      return fixTimes(error.reason, context)
    case "issuer":
      return fixIssuer(context)
    case "audience":
      return fixAudience(context)
    case "client":
      return fixClient(context)
    case "subject":
      return /scope openid/u.test(detail)
        ? "Have the client request the scope openid, without which there is no userinfo."
        : "Have the provider write sub into access tokens (in Keycloak, by the client scope basic), or use introspection."
    case "scopes":
      return "Have the provider write scope as one string of words, or as an array of them."
  }
}

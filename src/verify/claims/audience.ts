/** The audience of a token (RFC 7519, section 4.1.3; RFC 8707). Pure. */
import type { ClaimNames } from "../../config/GatewaySettings.ts"
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { isOfClients, readClientId } from "./client.ts"
import { statesAccess } from "./tokenKind.ts"

const isAudience = (aud: unknown): aud is string | ReadonlyArray<string> =>
  typeof aud === "string" || (Array.isArray(aud) && aud.every((one) => typeof one === "string"))

// Only a scheme, an authority and a slash.
const rootWithSlash = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\\s]+\/$/i

/**
 * Removes the slash of a URL that has no other path: `https://x` and `https://x/` are the same URL (RFC 9110, section
 * 4.2.3), and providers write either.
 */
const withoutRootSlash = (audience: string): string => rootWithSlash.test(audience) ? audience.slice(0, -1) : audience

const isAccepted = (accepted: ReadonlyArray<string>) => (one: string): boolean => {
  if (accepted.includes(one)) return true
  const bare = withoutRootSlash(one)
  return accepted.some((name) => withoutRootSlash(name) === bare)
}

/** The audiences and clients that a provider's settings allow. */
export interface AudienceRules extends Pick<ClaimNames, "clientClaims"> {
  readonly audience: ReadonlyArray<string>
  readonly allowedClients: ReadonlyArray<string>
}

// Returns whether an audience is a URL. The id of a client is one, too, if it is the URL of its metadata document.
const isUrl = (audience: string): boolean => audience.includes("://")

/**
 * Whether the client of a token without `aud` replaces the audience: it is one of the allowed clients or, if the token
 * states that it is an access token, as Cognito's do, a client that `audience` names.
 */
const hasClientForAudience = (claims: JsonObject, rules: AudienceRules): boolean =>
  isOfClients(claims, rules.allowedClients, rules) ||
  (statesAccess(claims) && isOfClients(claims, rules.audience.filter((one) => !isUrl(one)), rules))

const withoutAudience = (claims: JsonObject, rules: AudienceRules): Rejection => {
  const { audience } = rules
  const client = readClientId(claims, rules)
  const advice = client === undefined
    ? ""
    : `; the client is ${show(client)}: MCP_ALLOWED_CLIENTS can take the place of aud`
  return rejection("MissingClaim", `aud is missing; MCP_JWT_AUDIENCE is ${showAll(audience)}${advice}`)
}

/** Describes the audiences that a provider's settings allow. */
export const expectedAudience = ({ allowedClients, audience }: AudienceRules): string => {
  if (audience.length > 0) return audience.length === 1 ? showAll(audience) : `one of ${showAll(audience)}`
  return allowedClients.length > 0
    ? "any, because only the client is checked"
    : "any, because no audience is configured (MCP_JWT_AUDIENCE): a token for another service is accepted"
}

/**
 * Checks `aud`, a string or an array of strings: one of them must equal an entry of `audience`, except that a URL with
 * only a host may or may not end with a slash. The client may replace a missing `aud`, and an allowed client may
 * replace an empty list.
 *
 * If `audience` is empty, any audience is accepted, but `aud` must still be a string or an array of strings.
 */
export const checkAudience = (claims: JsonObject, rules: AudienceRules): Rejection | undefined => {
  const { audience } = rules
  const aud = own(claims, "aud")
  if (aud === undefined) {
    return audience.length === 0 || hasClientForAudience(claims, rules) ? undefined : withoutAudience(claims, rules)
  }
  if (!isAudience(aud)) return rejection("InvalidAudience", "aud is neither a string nor an array of strings")
  const given = [aud].flat()
  if (audience.length === 0 || given.some(isAccepted(audience))) return undefined
  // Hydra and others write an empty list if the client has requested no audience.
  return given.length === 0 && isOfClients(claims, rules.allowedClients, rules)
    ? undefined
    : rejection("InvalidAudience", `aud is ${showAll(given)}; MCP_JWT_AUDIENCE is ${showAll(audience)}`)
}

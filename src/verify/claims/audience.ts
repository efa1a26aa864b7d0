/** For whom a token is (RFC 7519, section 4.1.3; RFC 8707). Pure. */
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { isOfClients, readClientId } from "./client.ts"
import { statesAccess } from "./tokenKind.ts"

const isAudience = (aud: unknown): aud is string | ReadonlyArray<string> =>
  typeof aud === "string" || (Array.isArray(aud) && aud.every((one) => typeof one === "string"))

// A scheme, an authority and a slash, and nothing else.
const rootWithSlash = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\\s]+\/$/i

/** `https://x` and `https://x/` name the same place (RFC 9110, section 4.2.3), and providers write either. */
const withoutRootSlash = (audience: string): string => rootWithSlash.test(audience) ? audience.slice(0, -1) : audience

const isAccepted = (accepted: ReadonlyArray<string>) => (one: string): boolean => {
  if (accepted.includes(one)) return true
  const bare = withoutRootSlash(one)
  return accepted.some((name) => withoutRootSlash(name) === bare)
}

/** What a provider's settings say about whom its tokens are for. */
export interface AudienceRules {
  readonly audience: ReadonlyArray<string>
  readonly allowedClients: ReadonlyArray<string>
}

// A client that chooses its own id (a metadata document) has a URL for it.
const isUrl = (audience: string): boolean => audience.includes("://")

/**
 * Says whether the client of a token stands in for the `aud` that it does not have: one of the allowed clients; or, if the
 * token states that it is an access token, as Cognito's do, one that the audience names.
 */
const hasClientForAudience = (claims: JsonObject, { allowedClients, audience }: AudienceRules): boolean =>
  isOfClients(claims, allowedClients) ||
  (statesAccess(claims) && isOfClients(claims, audience.filter((one) => !isUrl(one))))

const withoutAudience = (claims: JsonObject, { audience }: AudienceRules): Rejection => {
  const client = readClientId(claims)
  const cure = client === undefined
    ? ""
    : `; its client is ${show(client)}: MCP_ALLOWED_CLIENTS can take the place of aud`
  return rejection("MissingClaim", `aud is missing; MCP_JWT_AUDIENCE is ${showAll(audience)}${cure}`)
}

/**
 * Judges `aud`, a string or an array of strings: one of it must be one of `audience`, character for character, save that
 * a URL that names a host alone may or may not end with a slash. For a token without `aud` its client may stand in, for
 * one whose `aud` is an empty list one of the allowed clients.
 *
 * With nothing accepted by name any audience will do, but an `aud` of another type will not.
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
  // Hydra and others write an empty list where no audience was asked for.
  return given.length === 0 && isOfClients(claims, rules.allowedClients)
    ? undefined
    : rejection("InvalidAudience", `aud is ${showAll(given)}; MCP_JWT_AUDIENCE is ${showAll(audience)}`)
}

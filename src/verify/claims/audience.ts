/** For whom a token is (RFC 7519, section 4.1.3; RFC 8707). Pure. */
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import { type Refusal, refusal } from "../Refusal.ts"

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

/**
 * Judges `aud`, a string or an array of strings: one of it must be one of `accepted`, character for character, save that
 * a URL that names a host alone may or may not end with a slash.
 *
 * With nothing accepted by name any audience will do, but an `aud` of another type will not.
 */
export const checkAudience = (claims: JsonObject, accepted: ReadonlyArray<string>): Refusal | undefined => {
  const aud = own(claims, "aud")
  if (aud === undefined) {
    return accepted.length === 0 ? undefined : refusal("MissingClaim", "aud is missing")
  }
  if (!isAudience(aud)) return refusal("InvalidAudience", "aud is neither a string nor an array of strings")
  return accepted.length === 0 || [aud].flat().some(isAccepted(accepted))
    ? undefined
    : refusal("InvalidAudience", "aud names another audience")
}

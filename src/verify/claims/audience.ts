/** For whom a token is (RFC 7519, section 4.1.3; RFC 8707). Pure. */
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import { type Refusal, refusal } from "../Refusal.ts"

const isAudience = (aud: unknown): aud is string | ReadonlyArray<string> =>
  typeof aud === "string" || (Array.isArray(aud) && aud.every((one) => typeof one === "string"))

/**
 * Judges `aud`, a string or an array of strings: one of it must be one of `accepted`, character for character.
 *
 * With nothing accepted by name any audience will do, but an `aud` of another type will not.
 */
export const checkAudience = (claims: JsonObject, accepted: ReadonlyArray<string>): Refusal | undefined => {
  const aud = own(claims, "aud")
  if (aud === undefined) {
    return accepted.length === 0 ? undefined : refusal("MissingClaim", "aud is missing")
  }
  if (!isAudience(aud)) return refusal("InvalidAudience", "aud is neither a string nor an array of strings")
  return accepted.length === 0 || [aud].flat().some((one) => accepted.includes(one))
    ? undefined
    : refusal("InvalidAudience", "aud names another audience")
}

import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { readText } from "./text.ts"

// Some providers write booleans as strings.
const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true")

/**
 * The e-mail address of the caller, unless the provider says that nobody has shown it to be the caller's own
 * (`email_verified`, OpenID Connect Core 1.0, section 5.1).
 *
 * @param mustBeVerified leave it out also where the provider does not say
 */
export const readEmail = (claims: JsonObject, mustBeVerified: boolean): string | undefined => {
  const verified = own(claims, "email_verified")
  return isTrue(verified) || (verified === undefined && !mustBeVerified) ? readText(claims, "email") : undefined
}

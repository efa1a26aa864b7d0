import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { readText } from "./text.ts"

// Some providers write booleans as strings.
const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true")

/**
 * Returns the caller's e-mail address, unless the provider reports it as unverified (`email_verified`, OpenID Connect
 * Core 1.0, section 5.1).
 *
 * @param mustBeVerified leave the address out also if the provider does not report whether it is verified
 */
export const readEmail = (claims: JsonObject, mustBeVerified: boolean): string | undefined => {
  const verified = own(claims, "email_verified")
  return isTrue(verified) || (verified === undefined && !mustBeVerified) ? readText(claims, "email") : undefined
}

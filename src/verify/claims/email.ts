import type { Identity } from "../../identity/Identity.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { readText } from "./text.ts"

// Some providers write booleans as strings.
const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true")

/** The settings of a provider about e-mail addresses. */
export interface EmailRules {
  /**
   * If `true`, the address is left out unless `email_verified` is true. If `false`, it is left out only if
   * `email_verified` is false.
   */
  readonly requireVerifiedEmail: boolean
  /** Whether rules may also use addresses without `email_verified`, because the operator vouches for them. */
  readonly trustEmail?: boolean | undefined
}

/**
 * Reads the caller's e-mail address, unless the provider reports it as unverified (`email_verified`, OpenID Connect
 * Core 1.0, section 5.1).
 */
export const readEmail = (
  claims: JsonObject,
  { requireVerifiedEmail, trustEmail = false }: EmailRules
): Pick<Identity, "email" | "emailVerified"> => {
  const verified = own(claims, "email_verified")
  const email = isTrue(verified) || (verified === undefined && !requireVerifiedEmail)
    ? readText(claims, "email")
    : undefined
  return email !== undefined && (isTrue(verified) || trustEmail) ? { email, emailVerified: true } : { email }
}

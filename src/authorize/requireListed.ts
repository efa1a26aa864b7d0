/** Whether a verified caller is on the lists of allowed callers. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { matchesDomain } from "../config/kinds/domains.ts"
import { AccessDenied } from "../errors/GatewayError.ts"
import { type EmailAddress, normalEmail } from "../identity/emailAddress.ts"
import type { Identity } from "../identity/Identity.ts"

export type AllowLists = Pick<GatewaySettings, "allowedEmails" | "allowedEmailDomains" | "allowedSubjects">

// All requests with one verified token share one identity object.
const addresses = new WeakMap<Identity, EmailAddress | "none">()

/** The address that counts as the caller's own. */
const addressOf = (identity: Identity): EmailAddress | "none" => {
  const known = addresses.get(identity)
  if (known !== undefined) return known
  const { email, emailVerified } = identity
  const address = (emailVerified === true && email !== undefined ? normalEmail(email) : undefined) ?? "none"
  addresses.set(identity, address)
  return address
}

const isListed = ({ allowedEmailDomains, allowedEmails, allowedSubjects }: AllowLists, identity: Identity): boolean => {
  if (allowedSubjects.includes(identity.subject)) return true
  if (allowedEmails.length === 0 && allowedEmailDomains.length === 0) return false
  const email = addressOf(identity)
  return email !== "none" && (allowedEmails.includes(email.address) || matchesDomain(allowedEmailDomains, email.domain))
}

/** Why the address of a caller does not count. The log never shows the address itself. */
const aboutAddress = (identity: Identity): string => {
  if (identity.email === undefined) return "the token has no e-mail address that may be used"
  if (identity.emailVerified !== true) {
    return "the provider does not say that the e-mail address is verified (email_verified); " +
      "MCP_REQUIRE_VERIFIED_EMAIL=false makes it count"
  }
  return addressOf(identity) === "none"
    ? "the e-mail address is not a plain one"
    : "the e-mail address is not in MCP_ALLOWED_EMAILS, nor its domain in MCP_ALLOWED_EMAIL_DOMAINS"
}

/**
 * Requires that the caller is on one of the lists, if there are any.
 *
 * Subjects are compared character for character, and e-mail addresses only if they count as the caller's own.
 */
export const requireListed = (lists: AllowLists, identity: Identity): Result.Result<void, AccessDenied> => {
  const { allowedEmailDomains, allowedEmails, allowedSubjects } = lists
  const takesEmails = allowedEmails.length > 0 || allowedEmailDomains.length > 0
  if ((!takesEmails && allowedSubjects.length === 0) || isListed(lists, identity)) return Result.void
  const details = [
    ...(allowedSubjects.length === 0 ? [] : ["the subject is not in MCP_ALLOWED_SUBJECTS"]),
    ...(takesEmails ? [aboutAddress(identity)] : [])
  ]
  return Result.fail(new AccessDenied({ reason: "Policy", detail: details.join("; ") }))
}

/** The error in a provider's rejection of a token. Pure. */
import { type JsonObject, own } from "./JsonObject.ts"

/** A provider's rejection in the terms of RFC 6750, section 3.1, as far as the response has them. */
export interface ProviderRejection {
  /** One of the registered codes, which can be logged. Other codes are ignored. */
  readonly error: string | undefined
  /** The scopes that the provider requires. Empty if it names none. */
  readonly scope: ReadonlyArray<string>
  /** Whether the body is a verdict despite the status: `active` is `false` (RFC 7662, section 2.2). */
  readonly inactive: boolean
  /** Whether the user has to act before the provider issues the token: to consent, or to sign in again. */
  readonly needsUser?: true
  /**
   * What the user has to prove (OpenID Connect Core 1.0, section 5.5), as the provider wrote it: JSON for its
   * authorization request.
   */
  readonly claims?: string
  /** Whether the description is about the subject token (RFC 8693, section 2.2.2, has no code for that). */
  readonly isAboutSubject?: true
}

/**
 * Registered codes: RFC 6749, sections 4.1.2.1 and 5.2; RFC 6750, section 3.1; RFC 7009, section 2.2.1; RFC 8693, section 2.2.2;
 * OpenID Connect Core 1.0, section 3.1.2.6.
 */
const known: ReadonlySet<string> = new Set([
  "access_denied",
  "consent_required",
  "insufficient_scope",
  "invalid_client",
  "invalid_grant",
  "invalid_request",
  "interaction_required",
  "invalid_scope",
  "invalid_target",
  "invalid_token",
  "login_required",
  "server_error",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type",
  "unsupported_token_type"
])

const userErrors: ReadonlySet<unknown> = new Set(["consent_required", "interaction_required", "login_required"])

/** Values of Microsoft Entra's `suberror` that the user can do something about. */
const userSuberrors: ReadonlySet<unknown> = new Set([
  "additional_action",
  "basic_action",
  "consent_required",
  "message_only",
  "user_password_expired"
])

const maxClaims = 4_096

/** Returns a claims request, if it is JSON of printable characters. */
const claimsOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= maxClaims && /^\{[\x20-\x7e]*\}$/.test(value) ? value : undefined

const maxScopes = 32
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

const scopesOf = (text: string): ReadonlyArray<string> => {
  const scopes = text.split(" ").filter((scope) => scope !== "")
  // All or none: a part of the list would not satisfy the provider.
  return scopes.length <= maxScopes && scopes.every((scope) => scopeToken.test(scope)) ? scopes : []
}

// RFC 9110, section 11.2. The limits keep the time linear.
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]{0,8}=[ \t]{0,8}(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g

const maxLength = 8_192

/** Parses the parameters of a field. Of several with one name, the first counts. */
const parametersOf = (field: string): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>()
  for (const [, name = "", quoted, plain = ""] of field.slice(0, maxLength).matchAll(parameter)) {
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, "$1") ?? plain)
  }
  return parameters
}

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const knownError = (error: string | undefined): string | undefined =>
  error !== undefined && known.has(error) ? error : undefined

/**
 * Reads the rejection from `WWW-Authenticate`, and what the field lacks from the body.
 *
 * Codes that are not registered are ignored, because a provider might repeat what the gateway sent.
 */
export const readRejection = (wwwAuthenticate: string | undefined, body: JsonObject): ProviderRejection => {
  const parameters = parametersOf(wwwAuthenticate ?? "")
  const needsUser = userErrors.has(own(body, "error")) || userSuberrors.has(own(body, "suberror"))
  const claims = claimsOf(own(body, "claims"))
  const description = text(own(body, "error_description"))?.slice(0, 512) ?? ""
  const isAboutSubject = /subject[_ ]token|\bassertion\b/i.test(description)
  return {
    error: knownError(parameters.get("error")) ?? knownError(text(own(body, "error"))),
    scope: scopesOf(parameters.get("scope") ?? text(own(body, "scope")) ?? ""),
    inactive: own(body, "active") === false,
    ...(needsUser ? { needsUser } : {}),
    ...(claims === undefined ? {} : { claims }),
    ...(isAboutSubject ? { isAboutSubject } : {})
  }
}

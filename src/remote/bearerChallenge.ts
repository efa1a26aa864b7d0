/** The error in a provider's rejection of a token. Pure. */
import { type JsonObject, own } from "./JsonObject.ts"

/** A provider's rejection in the terms of RFC 6750, section 3.1, as far as the response contains it. */
export interface ProviderRejection {
  /** One of the registered codes, so that it can be logged regardless of what the provider sends. */
  readonly error: string | undefined
  /** The scopes that the provider requires. Empty if it names none. */
  readonly scope: ReadonlyArray<string>
  /** The body is a verdict despite the status: `active` is `false` (RFC 7662, section 2.2). */
  readonly inactive: boolean
}

/** Registered codes: RFC 6749, sections 4.1.2.1 and 5.2; RFC 6750, section 3.1; RFC 7009, section 2.2.1. */
const known: ReadonlySet<string> = new Set([
  "access_denied",
  "insufficient_scope",
  "invalid_client",
  "invalid_grant",
  "invalid_request",
  "invalid_scope",
  "invalid_token",
  "server_error",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type",
  "unsupported_token_type"
])

const maxScopes = 32
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

const scopesOf = (text: string): ReadonlyArray<string> => {
  const scopes = text.split(" ").filter((scope) => scope !== "")
  // All or none: a part of the list would not be what the provider requires.
  return scopes.length <= maxScopes && scopes.every((scope) => scopeToken.test(scope)) ? scopes : []
}

// RFC 9110, section 11.2; the bounds keep the time linear.
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]{0,8}=[ \t]{0,8}(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g

const maxLength = 8_192

/** Parses the parameters of a field. The first one of each name counts. */
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
 * Reads the rejection from `WWW-Authenticate` and, for what the field lacks, from the body.
 *
 * Codes that are not registered are ignored, because a provider might repeat there what the gateway sent.
 */
export const readRejection = (wwwAuthenticate: string | undefined, body: JsonObject): ProviderRejection => {
  const parameters = parametersOf(wwwAuthenticate ?? "")
  return {
    error: knownError(parameters.get("error")) ?? knownError(text(own(body, "error"))),
    scope: scopesOf(parameters.get("scope") ?? text(own(body, "scope")) ?? ""),
    inactive: own(body, "active") === false
  }
}

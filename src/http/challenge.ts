/** The parameters of a Bearer challenge, in the order in which they are written. */
export interface Challenge {
  readonly error?: string | undefined
  readonly error_description?: string | undefined
  readonly scope?: string | undefined
  readonly resource_metadata?: string | undefined
  /** The claims that the client must request, in Base64, as clients of Microsoft Entra expect it. */
  readonly claims?: string | undefined
}

/**
 * Encodes a value as a quoted-string (RFC 9110, section 5.6.4).
 *
 * Quotes and backslashes are escaped. Control characters and characters beyond ASCII, which a field value cannot
 * contain, become `?`.
 */
const quotedString = (value: string): string => `"${value.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`

/**
 * Writes the value of `WWW-Authenticate`: one challenge, the scheme `Bearer` first.
 *
 * @see RFC 6750, section 3; RFC 9728, section 5.1
 */
export const formatChallenge = (challenge: Challenge): string => {
  const parameters = [
    ["error", challenge.error],
    ["error_description", challenge.error_description],
    ["scope", challenge.scope],
    ["resource_metadata", challenge.resource_metadata],
    ["claims", challenge.claims]
  ] as const
  return `Bearer ${
    parameters.flatMap(([name, value]) => value === undefined ? [] : [`${name}=${quotedString(value)}`]).join(", ")
  }`
}

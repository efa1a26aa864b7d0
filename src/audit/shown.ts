/** Prepares texts of callers for the audit log and the access log. Pure. */

const maxCharacters = 256

// Control characters, marks that change the direction of text, invisible characters, line separators, lone surrogates.
const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

// Three parts in base64url, of which the first begins like a JSON object.
const jwtShaped = /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g

/**
 * Makes a text from a caller safe for a log: truncated to 256 characters, or as many as given, with `�` instead of invisible and control
 * characters, and without anything that has the form of a JWT.
 */
export const shownText = (text: string, max = maxCharacters): string => {
  // Shortened first, because a name may be as long as a message.
  const isLong = text.length > max
  const clean = (isLong ? text.slice(0, 4 * max) : text)
    .replace(jwtShaped, "(a token)")
    .replace(unfit, "\ufffd")
  return clean.length > max || text.length > 4 * max
    ? `${clean.slice(0, max).replace(/[\ud800-\udbff]$/, "")}…`
    : clean
}

// Shorter credentials could be ordinary words.
const shortestCredential = 8

/**
 * Removes the credential of the request from a text. The client may have put it in another place, which the text
 * quotes.
 */
export const withoutCredential = (text: string, authorization: string | undefined): string => {
  const credential = authorization?.replace(/^\S+\s+/, "") ?? ""
  return credential.length < shortestCredential ? text : text.replaceAll(credential, "(the credential)")
}

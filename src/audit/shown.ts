/** Texts of callers as the audit log and the access log show them. Pure. */

const mostCharacters = 256

// Controls, marks that change the direction of text, invisible characters, line separators, halves of a character.
const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

// Parts of Base64url, the first of them the beginning of a JSON object.
const jwtShaped = /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g

/**
 * A text that a caller chose, fit for a log: cut after 256 characters, with `�` in place of what an eye cannot see or a
 * terminal would obey, and without anything that has the form of a JWT.
 */
export const shownText = (text: string): string => {
  // Before it is looked at: a name may be as long as a message.
  const isLong = text.length > mostCharacters
  const clean = (isLong ? text.slice(0, 4 * mostCharacters) : text)
    .replace(jwtShaped, "(a token)")
    .replace(unfit, "\ufffd")
  return clean.length > mostCharacters || text.length > 4 * mostCharacters
    ? `${clean.slice(0, mostCharacters).replace(/[\ud800-\udbff]$/, "")}…`
    : clean
}

// Shorter ones are words that texts are made of.
const shortestCredential = 8

/** Leaves a credential out of a text: the client may have written it into another place, which the text quotes. */
export const withoutCredential = (text: string, authorization: string | undefined): string => {
  const credential = authorization?.replace(/^\S+\s+/, "") ?? ""
  return credential.length < shortestCredential ? text : text.replaceAll(credential, "(the credential)")
}

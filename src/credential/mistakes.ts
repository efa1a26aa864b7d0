/** Descriptions of common mistakes in credentials, without their contents. Pure. */

/** Schemes that clients often send in place of Bearer; any other word could be a token and is not shown. */
const knownSchemes: ReadonlySet<string> = new Set([
  "basic",
  "digest",
  "dpop",
  "negotiate",
  "ntlm",
  "mac",
  "hawk",
  "hmac",
  "oauth",
  "token",
  "jwt",
  "apikey",
  "api-key",
  "aws4-hmac-sha256"
])

/** Describes the mistake in the scheme of an `Authorization` field that is not Bearer. */
export const schemeMistake = (scheme: string, rest: string): string => {
  const word = scheme.toLowerCase()
  if (knownSchemes.has(word)) return `the scheme is ${word}, not Bearer`
  if (word === "bearer:") return "the scheme is written with a colon: Bearer and a space come before the token"
  if (word.startsWith("bearer")) return "there is no space between Bearer and the token"
  return rest === "" ? "the scheme Bearer is missing before the token" : "the scheme is not Bearer"
}

/** Words that programs send if they have no token. */
const emptyWords: ReadonlySet<string> = new Set([
  "null",
  "nil",
  "undefined",
  "None",
  "NaN",
  "true",
  "false",
  "(null)",
  "<nil>",
  "<null>"
])

/** Describes a placeholder that was sent in place of a token; `undefined` for anything else. */
export const emptyWord = (token: string): string | undefined =>
  emptyWords.has(token) ? `the word ${token} in place of a token: the client has none` : undefined

// `${TOKEN}`, `{{token}}`, `{token}`, `$TOKEN`, `%TOKEN%`, `<token>`: in shells, templates, documentation.
const placeholder = /^(?:\$\{.*\}|\{\{.*\}\}|\{.*\}|\$\(.*\)|\$\w+|%\w+%|<[^>]*>|\[[^\]]*\])$/s

const quoted = /^["'`\u2018\u201c]|["'`\u2019\u201d]$/

/** Describes characters that no token may contain (RFC 9110, section 11.2). */
export const characterMistake = (token: string): string => {
  if (/^bearer[\s:]/i.test(token)) return "the word Bearer is there twice"
  const word = emptyWord(token)
  if (word !== undefined) return word
  if (/^\[object \w+\]$/.test(token)) return "an object of the client's program in place of the token that it holds"
  if (/^\{\s*"/.test(token)) {
    return "a JSON object in place of the token: the client sends the whole response that holds it"
  }
  if (/^\w+\(.*\)$/s.test(token)) return "the token is wrapped, as a program shows a value that may be missing"
  if (placeholder.test(token)) return "a placeholder that was not replaced by a token"
  if (quoted.test(token)) return "there are quotation marks around the token"
  if (/(?:\u2026|\.\.\.)$/.test(token)) return "the token was cut off when it was copied: it ends with dots"
  const at = [...token].findIndex((character) => !/[A-Za-z0-9\-._~+/=]/.test(character)) + 1
  if (at > 0 && /\s/.test(token)) return `there is white space in the token, of ${token.length} characters`
  return at > 0
    ? `the token, of ${token.length} characters, has one outside token68 at place ${at}`
    : "the token has = before its end"
}

// `YOUR_ACCESS_TOKEN`, `your-token-here`, `xxxxxxxx`: in documentation.
const example = /^(?:(?:your|my|insert|paste|replace)[-_].*|[x*.]{3,})$/i

/** The parts of a JWS and of a JWE (RFC 7515, section 7.1; RFC 7516, section 7.1). */
const signedParts = 3
const encryptedParts = 5

/** Describes the form of a token that no provider is responsible for. */
export const shapeMistake = (token: string): string => {
  if (example.test(token)) return "a placeholder of the documentation that was not replaced by a token"
  const parts = token.split(".").length
  if (parts === encryptedParts && token.startsWith("ey")) {
    return "an encrypted token (JWE, five parts), which only its addressee can read: make the provider issue signed ones"
  }
  if (token.startsWith("ey") && parts < signedParts) {
    return `a JWT that was cut off: it has ${parts} of ${signedParts} parts, ${token.length} characters`
  }
  return `no provider has such tokens: it is no JWT (${parts} ${
    parts === 1 ? "part" : "parts"
  }, ${token.length} characters)`
}

/** Detection of access tokens in a query, in every spelling of the name. Pure. */

// Servers split a query at `&`, older ones also at `;`, and lax ones at a second `?`.
const separator = /[&;?]/

/** Decodes percent-encoding, one character for each byte; an invalid escape is left unchanged. */
const unescaped = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const asUtf8 = (bytes: string): string =>
  new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))

// No server decodes a name more often.
const encodings = 3

/**
 * Returns all texts that a decoder could read from a name: it may decode several times, and read the bytes in two ways.
 */
const readings = (name: string): ReadonlyArray<string> => {
  const found = [name]
  let decoded = name
  for (let round = 0; round < encodings && decoded.includes("%"); round++) {
    decoded = unescaped(decoded)
    found.push(decoded, asUtf8(decoded))
  }
  return found
}

/** Converts full-width forms, and the two letters that fold to ASCII. */
const narrow = (text: string): string =>
  text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll("\u017f", "s")
    .replaceAll("\u212a", "k")

/** Returns the letters of a name: some servers drop or replace all other characters. */
const letters = (name: string): string => narrow(name).toLowerCase().replace(/[^a-z0-9]/g, "")

const namesToken = (name: string): boolean =>
  readings(name).some((reading) =>
    letters(reading) === "accesstoken" ||
    // Servers written in C end a name here, and so do servers that support arrays, objects and parameters.
    reading.split(/[\0[{=&;?]/).some((part) => letters(part) === "accesstoken")
  )

/**
 * Returns whether a query has a parameter `access_token`, or one that some MCP server could read as such: in another case,
 * after another separator, with characters that are dropped or that end a string, encoded repeatedly, or with an index.
 *
 * @param query without its `?`
 * @see RFC 6750, section 2.3; MCP, authorization: access tokens are not sent in the query string
 */
export const hasTokenParameter = (query: string): boolean =>
  query !== "" && query.split(separator).some((parameter) => {
    const end = parameter.indexOf("=")
    return namesToken(end === -1 ? parameter : parameter.slice(0, end))
  })

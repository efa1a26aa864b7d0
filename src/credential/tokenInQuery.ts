/** Whether a query carries an access token, however its name is spelt. Pure. */

// What servers split a query at: `&` everywhere, `;` in older ones, a second `?` in careless ones.
const separator = /[&;?]/

/** Undoes percent-encoding, one character for each byte; what is no encoding stays. */
const unescaped = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const asUtf8 = (bytes: string): string =>
  new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))

// A name that is encoded more often than that is one to nobody.
const encodings = 3

/** All that a decoder could make of a name: it may decode once or more often, and read the bytes in two ways. */
const readings = (name: string): ReadonlyArray<string> => {
  const found = [name]
  let decoded = name
  for (let round = 0; round < encodings && decoded.includes("%"); round++) {
    decoded = unescaped(decoded)
    found.push(decoded, asUtf8(decoded))
  }
  return found
}

/** Full-width forms and the two letters that only fold to ASCII, as the ASCII that they stand for. */
const narrow = (text: string): string =>
  text
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll("\u017f", "s")
    .replaceAll("\u212a", "k")

/** The letters of a name, which is all that some servers keep of it: they drop or replace the rest. */
const letters = (name: string): string => narrow(name).toLowerCase().replace(/[^a-z0-9]/g, "")

const namesToken = (name: string): boolean =>
  readings(name).some((reading) =>
    letters(reading) === "accesstoken" ||
    // Where a name ends for servers that are written in C, and for those that know arrays, objects and parameters.
    reading.split(/[\0[{=&;?]/).some((part) => letters(part) === "accesstoken")
  )

/**
 * Says whether a query has a parameter `access_token`, or one that some server behind could take for it: in another case,
 * with another separator before it, with characters in it that are dropped or that end a string, encoded once more, or
 * with an index.
 *
 * @param query without its `?`
 * @see RFC 6750, section 2.3; MCP, authorization: access tokens are not sent in the query string
 */
export const hasTokenParameter = (query: string): boolean =>
  query !== "" && query.split(separator).some((parameter) => {
    const end = parameter.indexOf("=")
    return namesToken(end === -1 ? parameter : parameter.slice(0, end))
  })

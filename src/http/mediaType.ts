/** The media type in a `Content-Type` (RFC 9110, section 8.3.1). Pure. */

const splitOutsideQuotes = (text: string, separator: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === "\\") at++
    else if (character === "\"") quoted = !quoted
    else if (!quoted && character === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

const unquoted = (value: string): string =>
  value.length >= 2 && value.startsWith("\"") && value.endsWith("\"")
    ? value.slice(1, -1).replace(/\\(.)/g, "$1")
    : value

/** Returns whether text with this parameter is still UTF-8. Only another `charset` changes that. */
const isHarmless = (parameter: string): boolean => {
  const end = parameter.indexOf("=")
  if (parameter.slice(0, end === -1 ? undefined : end).trim().toLowerCase() !== "charset") return true
  return end !== -1 && /^utf-?8$/i.test(unquoted(parameter.slice(end + 1).trim()))
}

const isJsonValue = (value: string): boolean => {
  const [type = "", ...parameters] = splitOutsideQuotes(value, ";")
  return type.trim().toLowerCase() === "application/json" && parameters.every(isHarmless)
}

/**
 * Returns whether a `Content-Type` is JSON in UTF-8, regardless of case, spaces and other parameters.
 *
 * If the field was repeated, the platform has joined its values, and every one must match.
 */
export const isJson = (contentType: string): boolean =>
  contentType === "application/json" || splitOutsideQuotes(contentType, ",").every(isJsonValue)

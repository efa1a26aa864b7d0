/** How what was found in a token or a document is written in the log. Pure. */

/** Enough for every identifier in use; what is longer is cut. */
const maxLength = 160

/** No more of a list is named. */
const maxListed = 8

// Control characters could forge log lines, format characters (bidirectional marks among them) what a reader sees.
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

const escape = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`

const cut = (text: string): string => text.length > maxLength ? `${text.slice(0, maxLength)}…` : text

/**
 * Writes one value: strings in quotes, without control characters, cut to 160 characters; of everything else its type.
 *
 * For values that are public or proven: issuer, audience, algorithm, key id, type, scopes, client. Never for a subject
 * that is not proven, and never for a token.
 */
export const show = (value: unknown): string => {
  if (typeof value === "string") return `"${cut(value).replace(unprintable, escape)}"`
  if (typeof value === "number" || typeof value === "boolean") return cut(String(value))
  if (value === undefined || value === null) return "missing"
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`
}

/** Writes several values, at most 8 of them. */
export const showAll = (values: ReadonlyArray<unknown>): string => {
  const shown = values.slice(0, maxListed).map(show).join(", ")
  return values.length > maxListed
    ? `${shown} and ${values.length - maxListed} more`
    : values.length === 0
    ? "none"
    : shown
}

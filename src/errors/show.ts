/** Values of tokens and documents as the log shows them. Pure. */

/** Enough for every identifier in use; longer ones are cut. */
const maxLength = 160

/** How many members of a list are shown. */
const maxListed = 8

// Control characters could forge log lines; format characters, such as bidirectional marks, could mislead a reader.
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

const escape = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`

const cut = (text: string): string => text.length > maxLength ? `${text.slice(0, maxLength)}…` : text

/**
 * Formats one value: a string in quotes, without control characters, cut to 160 characters; any other value by its type.
 *
 * For values that are public or proven: issuer, audience, algorithm, key id, type, scopes, client. Never for an
 * unproven subject, and never for a token.
 */
export const show = (value: unknown): string => {
  if (typeof value === "string") return `"${cut(value).replace(unprintable, escape)}"`
  if (typeof value === "number" || typeof value === "boolean") return cut(String(value))
  if (value === undefined || value === null) return "missing"
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`
}

/** Formats several values, at most 8 of them. */
export const showAll = (values: ReadonlyArray<unknown>): string => {
  const shown = values.slice(0, maxListed).map(show).join(", ")
  return values.length > maxListed
    ? `${shown} and ${values.length - maxListed} more`
    : values.length === 0
    ? "none"
    : shown
}

/** Dates in the fields of a provider's responses. Pure. */

// RFC 9110, section 5.6.7: the only form that may be sent. `Date.parse` accepts many others.
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Parses a date, in milliseconds since 1970; `NaN` if the text is not a date. */
export const httpDateMillis = (text: string): number => httpDate.test(text) ? Date.parse(text) : Number.NaN

/**
 * Returns how far a server's clock is ahead of this one, in seconds; `undefined` if its response has no date.
 *
 * Correct to about 2 seconds, because `Date` has whole seconds, and the response takes its time.
 *
 * @param date the field `Date` (RFC 9110, section 6.6.1)
 * @param age the field `Age` of a response from a cache, in seconds (RFC 9111, section 5.1)
 */
export const clockDifference = (
  date: string | undefined,
  age: string | undefined,
  nowMillis: number
): number | undefined => {
  const sentAt = httpDateMillis(date?.trim() ?? "")
  const seconds = /^\d{1,9}$/.test(age?.trim() ?? "") ? Number(age) : 0
  return Number.isFinite(sentAt) ? Math.round((sentAt - nowMillis) / 1000) + seconds : undefined
}

/** For how long a provider wants to be left alone. Pure. */

const maxSeconds = 3_600

// RFC 9110, section 5.6.7, the one form that may be sent. `Date.parse` alone takes nearly anything.
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * The value of `Retry-After` in seconds, from 1 to 3,600: longer pauses are cut, because clients would take them for
 * ours. `undefined` for what is neither a number of seconds nor a date (RFC 9110, section 10.2.3).
 *
 * @param nowMillis milliseconds since 1970
 */
export const retryAfterOf = (field: string | undefined, nowMillis: number): number | undefined => {
  const text = field?.trim() ?? ""
  const seconds = /^\d{1,10}$/.test(text)
    ? Number(text)
    : httpDate.test(text)
    ? Math.ceil((Date.parse(text) - nowMillis) / 1000)
    : Number.NaN
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), maxSeconds) : undefined
}

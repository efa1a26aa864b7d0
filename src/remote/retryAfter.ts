/** How long a provider asks the gateway to wait. Pure. */

import { httpDateMillis } from "./httpDate.ts"

const maxSeconds = 3_600

/**
 * Returns the value of `Retry-After` in seconds, from 1 to 3,600. Longer pauses are shortened, because the gateway
 * forwards the value to its clients. `undefined` for text that is neither a number of seconds nor a date (RFC 9110,
 * section 10.2.3).
 *
 * @param nowMillis milliseconds since 1970
 */
export const retryAfterOf = (field: string | undefined, nowMillis: number): number | undefined => {
  const text = field?.trim() ?? ""
  const seconds = /^\d{1,10}$/.test(text)
    ? Number(text)
    : Math.ceil((httpDateMillis(text) - nowMillis) / 1000)
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), maxSeconds) : undefined
}

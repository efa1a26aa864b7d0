/** How long a response of a provider may be used. Pure. */

const defaultMillis = 300_000
const minMillis = 60_000
const maxMillis = 86_400_000

/**
 * Returns the freshness lifetime of a response in milliseconds: its `max-age` within 1 minute and 24 hours, or 5 minutes
 * without `max-age`.
 *
 * `no-store`, `no-cache` and `max-age=0` count as 1 minute: otherwise any client could cause a fetch with each token
 * (RFC 9111, section 5.2.2).
 */
export const freshnessMillis = (cacheControl: string | undefined): number => {
  const directives = (cacheControl ?? "").toLowerCase().split(",").map((directive) => directive.trim())
  if (directives.includes("no-store") || directives.includes("no-cache")) return minMillis
  const maxAge = directives.map((directive) => /^max-age="?(\d{1,10})"?$/.exec(directive)?.[1]).find((age) =>
    age !== undefined
  )
  return maxAge === undefined ? defaultMillis : Math.min(Math.max(Number(maxAge) * 1000, minMillis), maxMillis)
}

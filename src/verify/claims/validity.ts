/** When a token is valid (RFC 7519, sections 4.1.4 to 4.1.6). Pure. */
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

export interface ValidityRules {
  /** Seconds since 1970, with fractions. */
  readonly now: number
  /** How far the clocks may differ, in seconds. */
  readonly skew: number
  /** Whether a token without `exp` is refused. */
  readonly requireExpiry: boolean
}

/** The last second of the year 9999: a later `exp` counts milliseconds, or is not a time. */
const maxExpiry = 253_402_300_799

// NumericDate (RFC 7519, section 2); `1e400` in JSON is Infinity.
const isNumericDate = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

/** Says whether a token that ends at `exp` has ended: "on or after" counts as expired. */
export const isExpired = (exp: number, now: number, skew: number): boolean => now >= exp + skew

/** The `exp` of claims that have passed `checkValidity`. */
export const expiresAt = (claims: JsonObject): number | undefined => {
  const exp = own(claims, "exp")
  return isNumericDate(exp) ? exp : undefined
}

/** From when on claims that have passed `checkValidity` pass it, in seconds since 1970. */
export const validFrom = (claims: JsonObject, skew: number): number =>
  Math.max(...["nbf", "iat"].map((name) => own(claims, name)).filter(isNumericDate), Number.NEGATIVE_INFINITY) - skew

const units = [["days", 86_400], ["hours", 3_600], ["minutes", 60]] as const

/** Writes a length of time, as in `2 hours` or `45 s`. */
const showSeconds = (seconds: number): string => {
  const [unit, length] = units.find(([, length]) => seconds >= 2 * length) ?? ["s", 1]
  return `${Math.floor(seconds / length)} ${unit}`
}

/** Judges `exp`, `nbf` and `iat`. */
export const checkValidity = (claims: JsonObject, rules: ValidityRules): Rejection | undefined => {
  const { now, requireExpiry, skew } = rules
  const exp = own(claims, "exp")
  if (exp === undefined) {
    if (requireExpiry) return rejection("MissingClaim", "exp is missing")
  } else {
    if (!isNumericDate(exp) || exp > maxExpiry) return rejection("ValidationFailed", "exp is not a date")
    if (isExpired(exp, now, skew)) {
      return rejection("Expired", `exp passed ${showSeconds(now - exp)} ago; MCP_CLOCK_SKEW is ${skew} s`)
    }
  }
  for (const name of ["nbf", "iat"]) {
    const begin = own(claims, name)
    if (begin === undefined) continue
    if (!isNumericDate(begin)) return rejection("ValidationFailed", `${name} is not a date`)
    if (begin > now + skew) {
      const ahead = showSeconds(begin - now)
      return rejection("NotYetValid", `${name} is ${ahead} ahead of this clock; MCP_CLOCK_SKEW is ${skew} s`)
    }
  }
  return undefined
}

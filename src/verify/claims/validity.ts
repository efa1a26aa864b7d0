/** The times of a token (RFC 7519, sections 4.1.4 to 4.1.6). Pure. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { show } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

export interface ValidityRules {
  /** Seconds since 1970, with fractions. */
  readonly now: number
  /** Tolerance between the clocks, in seconds. */
  readonly skew: number
  /** Whether a token without `exp` is rejected. */
  readonly requireExpiry: boolean
}

/** The last second of the year 9999. A later `exp` is in milliseconds, or not a time at all. */
const maxExpiry = 253_402_300_799

// NumericDate (RFC 7519, section 2). `JSON.parse` reads `1e400` as Infinity.
const isNumericDate = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

/** Returns whether a token with this `exp` has expired. It expires on `exp`, not after it (RFC 7519, section 4.1.4). */
export const isExpired = (exp: number, now: number, skew: number): boolean => now >= exp + skew

/** Returns the `exp` of claims that have passed `checkValidity`. */
export const expiresAt = (claims: JsonObject): number | undefined => {
  const exp = own(claims, "exp")
  return isNumericDate(exp) ? exp : undefined
}

/** Returns the time, in seconds since 1970, from which claims that have passed `checkValidity` are valid. */
export const validFrom = (claims: JsonObject, skew: number): number =>
  Math.max(...["nbf", "iat"].map((name) => own(claims, name)).filter(isNumericDate), Number.NEGATIVE_INFINITY) - skew

const units = [["days", 86_400], ["hours", 3_600], ["minutes", 60]] as const

/** Formats a duration, such as `2 hours` or `45 s`. */
const showSeconds = (seconds: number): string => {
  const [unit, length] = units.find(([, length]) => seconds >= 2 * length) ?? ["s", 1]
  return `${Math.floor(seconds / length)} ${unit}`
}

const showTime = (seconds: number, now: number): string => {
  const at = DateTime.make(seconds * 1000)
  const shown = Option.isSome(at) ? DateTime.formatIso(at.value).replace(".000Z", "Z") : String(seconds)
  return `${shown} (${now >= seconds ? `${showSeconds(now - seconds)} ago` : `in ${showSeconds(seconds - now)}`})`
}

export const shownTimes = (claims: JsonObject, now: number): string =>
  ["exp", "nbf", "iat"].flatMap((name) => {
    const time = own(claims, name)
    if (time === undefined) return name === "exp" ? ["exp is missing"] : []
    return [isNumericDate(time) ? `${name} is ${showTime(time, now)}` : `${name} is ${show(time)}, not a date`]
  }).join(", ")

/** Describes the times that `checkValidity` accepts. */
export const expectedTimes = ({ requireExpiry, skew }: Omit<ValidityRules, "now">): string =>
  `exp to come${
    requireExpiry ? "" : " (it may be missing)"
  }, nbf and iat passed, with ${skew} s of tolerance (MCP_CLOCK_SKEW)`

/** Checks `exp`, `nbf` and `iat`. */
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

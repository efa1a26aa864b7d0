/** A token is valid from its start to its expiry, and its times are numbers. */
import * as Effect from "effect/Effect"
import { nowSeconds } from "../../issuer/nowSeconds.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { beyond, int } from "./arbitrary.ts"
import { claimsOf, jsonWith } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Raw JSON that is not a NumericDate, derived from a valid time; `undefined` leaves the claim out. */
const notDates: ReadonlyArray<(seconds: number) => string> = [
  (seconds) => JSON.stringify(String(seconds)),
  (seconds) => JSON.stringify(`${seconds}abc`),
  (seconds) => `[${seconds}]`,
  (seconds) => `{"value":${seconds}}`,
  () => JSON.stringify("2099-01-01T00:00:00Z"),
  () => JSON.stringify("NaN"),
  () => JSON.stringify("Infinity"),
  () => JSON.stringify(""),
  () => "true",
  () => "1e400",
  () => "-1e400"
]

/** Invalid dates: in milliseconds, or beyond the calendar. */
const farEnds: ReadonlyArray<(seconds: number) => string> = [
  (seconds) => String(seconds * 1000),
  () => "253402300800",
  () => "253402300799000",
  () => "9007199254740993",
  () => "1e308"
]

/** The requirements on `exp`, `nbf` and `iat`. */
export const times = ({ skew }: JwtVerifierSettings): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-50",
      title: "MUST reject a token after its expiry, with the configured clock tolerance",
      source: "RFC 7519, section 4.1.4",
      runs: 25
    },
    { since: beyond(0) },
    ({ since }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const exp = (yield* nowSeconds) - skew - since
        const issued = { iat: exp - 600 }
        const good = yield* sign({ claims: issued })
        yield* rejectedAlongside(verify, good, yield* sign({ claims: { ...issued, exp } }))
      })
  ),
  requirement(
    {
      id: "JWT-51",
      title: "MUST reject a token whose exp is missing or not a date",
      source: "RFC 7519, sections 2 and 4.1.4; RFC 9068, section 2.2",
      runs: 5
    },
    { life: int(1, 86_400) },
    ({ life }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign()
        const end = (yield* nowSeconds) + life
        yield* rejectedAlongside(verify, good, yield* sign({ claims: { exp: undefined } }))
        for (const exp of [...notDates, ...farEnds]) {
          const payloadJson = jsonWith(claimsOf(good), { exp: exp(end) })
          yield* rejectedAlongside(verify, good, yield* sign({ payloadJson }))
        }
      })
  ),
  requirement(
    {
      id: "JWT-52",
      title: "MUST reject a token before its nbf, with the configured clock tolerance",
      source: "RFC 7519, section 4.1.5",
      runs: 25
    },
    { until: beyond(1) },
    ({ until }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const nbf = (yield* nowSeconds) + skew + until
        yield* rejectedAlongside(verify, yield* sign(), yield* sign({ claims: { nbf, exp: nbf + 600 } }))
      })
  ),
  requirement(
    {
      id: "JWT-53",
      title: "MUST reject a token with an iat in the future",
      source: "RFC 7519, section 4.1.6",
      runs: 25
    },
    { until: beyond(1) },
    ({ until }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const iat = (yield* nowSeconds) + skew + until
        yield* rejectedAlongside(verify, yield* sign(), yield* sign({ claims: { iat, exp: iat + 600 } }))
      })
  ),
  requirement(
    {
      id: "JWT-54",
      title: "MUST reject a token whose nbf or iat is not a date",
      source: "RFC 7519, sections 2, 4.1.5 and 4.1.6",
      runs: 5
    },
    { age: int(0, 86_400) },
    ({ age }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign()
        const begin = (yield* nowSeconds) - age
        for (const time of notDates) {
          for (const name of ["nbf", "iat"]) {
            const payloadJson = jsonWith(claimsOf(good), { [name]: time(begin) })
            yield* rejectedAlongside(verify, good, yield* sign({ payloadJson }))
          }
        }
      })
  )
]

/** A verdict depends only on the token, the time and the keys. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, oneOf } from "./arbitrary.ts"
import { encode, partsOf } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { accepted, rejected, rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

const bearers = ["ada", "bob", "eve"]

/** A valid token of one of the bearers, or a forgery of it. */
interface Shown {
  readonly bearer: number
  readonly forgery: "none" | "payload" | "signature" | "tail" | "alg"
}

const shown: Arbitrary.Arbitrary<ReadonlyArray<Shown>> = Arbitrary.array(
  Arbitrary.all({
    bearer: int(0, 2),
    forgery: oneOf(["none", "none", "payload", "signature", "tail", "alg"])
  }),
  { minLength: 4, maxLength: 24 }
)

const forge = (token: string, other: string, forgery: Shown["forgery"]): string => {
  const [header, payload, signature] = partsOf(token)
  const [, otherPayload, otherSignature] = partsOf(other)
  switch (forgery) {
    case "payload":
      return `${header}.${otherPayload}.${signature}`
    case "signature":
      return `${header}.${payload}.${otherSignature}`
    case "tail":
      return token.slice(0, -8) + other.slice(-8)
    default:
      return `${encode(JSON.stringify({ alg: "none" }))}.${payload}.${signature}`
  }
}

const keyRotation: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-63",
    title: "MUST follow key rotation: use a new key within a minute, and a withdrawn key for less than an hour",
    source: "RFC 7517, section 5; GHSA-675f-rq2r-jw82",
    runs: 3
  },
  { pause: int(0, 600) },
  ({ pause }) =>
    Effect.gen(function*() {
      const subject = yield* VerifierUnderTest
      const { issuer, sign, verify } = yield* subject.anew()
      const old = yield* issuer.key()
      const remembered = yield* sign({ key: old, expiresIn: "12 hours" })
      yield* accepted(verify, remembered)
      yield* TestClock.adjust(pause * 1000)
      const next = yield* issuer.rotate()
      yield* TestClock.adjust("1 minute")
      yield* accepted(verify, yield* sign({ key: next }))
      yield* accepted(verify, yield* sign({ key: old }))
      yield* accepted(verify, remembered)
      yield* issuer.removeKey(old.kid)
      yield* TestClock.adjust("1 hour")
      yield* rejected(verify, remembered)
      yield* rejected(verify, yield* sign({ key: old }))
      yield* accepted(verify, yield* sign({ key: next }))
    })
)

/** The requirements on repeated and concurrent verdicts. */
export const steadiness = (
  { fetchesKeys, skew }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-60",
      title: "MUST verify each token independently of earlier and concurrent ones",
      source: "CVE-2026-35039, CVE-2026-35030",
      runs: 20
    },
    { shown },
    ({ shown }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const tokensOf = (jti: string) => Effect.forEach(bearers, (sub) => sign({ claims: { sub, jti } }))
        const lookAt = (good: ReadonlyArray<string>) =>
          Effect.fnUntraced(function*({ bearer, forgery }: Shown) {
            const token = good[bearer] ?? ""
            if (forgery !== "none") return yield* rejected(verify, forge(token, good[(bearer + 1) % 3] ?? "", forgery))
            const { subject } = yield* accepted(verify, token)
            assert.strictEqual(subject, bearers[bearer])
          })
        yield* Effect.forEach(shown, lookAt(yield* tokensOf("sequence")), { discard: true })
        const crowd = Array.from({ length: 8 }, () => shown).flat()
        // New tokens: what is cached already would not be verified together.
        yield* Effect.forEach(crowd, lookAt(yield* tokensOf("crowd")), { concurrency: "unbounded", discard: true })
      })
  ),
  requirement(
    {
      id: "JWT-61",
      title: "MUST give the same result for the same token each time",
      source: "RFC 7519, section 7.2",
      runs: 10
    },
    { pauses: Arbitrary.array(int(0, 20), { minLength: 1, maxLength: 8 }) },
    ({ pauses }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign({ expiresIn: "10 minutes" })
        const first = yield* accepted(verify, good)
        const forged = forge(good, yield* sign({ claims: { sub: "eve" } }), "signature")
        const error = yield* rejected(verify, forged)
        for (const seconds of pauses) {
          yield* TestClock.adjust(seconds * 1000)
          assert.deepStrictEqual(yield* accepted(verify, good), first)
          assert.strictEqual((yield* rejected(verify, forged)).reason, error.reason)
        }
      })
  ),
  requirement(
    {
      id: "JWT-62",
      title: "MUST reject a token after its expiry, even if it was accepted before",
      source: "RFC 7519, section 4.1.4",
      runs: 20
    },
    { life: int(1, 600), looks: int(1, 3), after: int(0, 120) },
    ({ after, life, looks }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const token = yield* sign({ expiresIn: Duration.seconds(life) })
        for (let look = 0; look < looks; look++) yield* accepted(verify, token)
        // Up to the last second in which the token is valid.
        yield* TestClock.adjust((life + skew - 1) * 1000)
        yield* accepted(verify, token)
        yield* TestClock.adjust((1 + after) * 1000)
        yield* rejectedAlongside(verify, yield* sign(), token)
      })
  ),
  ...(fetchesKeys ? [keyRotation] : [])
]

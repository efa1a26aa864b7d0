/** Verdicts about other tokens, and outages, do not change what a verifier has established, nor make it generous. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, subject } from "./arbitrary.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { keyPaths } from "./outages.ts"
import { accepted, atOnce, notAccepted, whileTimePasses } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Outages that say nothing about a key. */
const failures: ReadonlyArray<Misbehaviour> = [
  Misbehaviour.Respond({ status: 503, body: "" }),
  Misbehaviour.Respond({ status: 404 }),
  Misbehaviour.Hang()
]

const unchanged: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-66",
    title: "MUST NOT change an identity that it has returned",
    source: "CWE-362; CWE-488",
    runs: 10
  },
  { subjects: Arbitrary.array(subject, { minLength: 2, maxLength: 6 }) },
  ({ subjects }) =>
    Effect.gen(function*() {
      const { sign, verify } = yield* VerifierUnderTest
      const returned = yield* Effect.forEach(subjects, (sub, index) =>
        Effect.map(
          Effect.flatMap(sign({ claims: { sub, scope: `scope-${index}` } }), (token) => accepted(verify, token)),
          (identity) => ({ identity, copy: structuredClone(identity) })
        ))
      for (const { copy, identity } of returned) assert.deepStrictEqual(identity, copy)
    })
)

/** The requirements on verdicts after other verdicts, and in outages. */
export const jwtHistory = (
  { fetchesKeys, skew }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> =>
  fetchesKeys
    ? [
      unchanged,
      requirement(
        {
          id: "JWT-67",
          title: "MUST accept a token of a known key at once, while the provider does not respond about another key",
          source: "CWE-400; OpenID Connect Core 1.0, section 10.1.1",
          runs: 2
        },
        { others: int(1, 4) },
        ({ others }) =>
          Effect.gen(function*() {
            const { issuer, sign, verify } = yield* (yield* VerifierUnderTest).anew()
            const known = yield* sign()
            yield* accepted(verify, known)
            for (const path of keyPaths) yield* issuer.misbehave(path, Misbehaviour.Hang(), Infinity)
            for (let other = 0; other < others; other++) {
              const token = yield* sign({ header: { kid: `unknown-${other}` } })
              yield* Effect.forkChild(Effect.exit(verify(token)), { startImmediately: true })
            }
            yield* atOnce(accepted(verify, known))
            yield* atOnce(accepted(verify, yield* sign({ claims: { sub: "another" } })))
            yield* issuer.behave()
          })
      ),
      requirement(
        {
          id: "JWT-73",
          title: "MUST NOT accept an expired token in an outage, even if it was accepted before",
          source: "RFC 7519, section 4.1.4",
          runs: 2
        },
        { life: int(1, 600), looks: int(1, 3), minutes: int(0, 300) },
        ({ life, looks, minutes }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const checkOne = Effect.fnUntraced(function*(misbehaviour: Misbehaviour) {
              const { issuer, sign, verify } = yield* subject.anew()
              const token = yield* sign({ expiresIn: Duration.seconds(life) })
              for (let look = 0; look < looks; look++) yield* accepted(verify, token)
              for (const path of keyPaths) yield* issuer.misbehave(path, misbehaviour, Infinity)
              yield* TestClock.adjust((life + skew) * 1_000)
              for (const pause of [0, minutes, 2 * 24 * 60]) {
                yield* TestClock.adjust(pause * 60_000)
                yield* whileTimePasses(notAccepted(verify, token, "it has expired in an outage"))
              }
              yield* issuer.behave()
            }, Effect.scoped)
            yield* Effect.forEach(failures, checkOne, { discard: true })
          })
      )
    ]
    : [unchanged]

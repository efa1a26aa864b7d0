/** Earlier requests, and clients that leave, do not change a verdict. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Issuer } from "../../issuer/Issuer.ts"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, oneOf } from "./arbitrary.ts"
import { partsOf } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { keyPaths } from "./outages.ts"
import {
  accepted,
  acceptedAtLast,
  atOnce,
  inTime,
  notAccepted,
  rejected,
  unavailable,
  whileTimePasses
} from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** So long that no token expires while a verifier waits. */
const expiresIn = "12 hours"

const spoil = (issuer: Issuer, misbehaviour: Misbehaviour): Effect.Effect<void> =>
  Effect.forEach(keyPaths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true })

/** Outages that say nothing about a key. */
const failures: ReadonlyArray<Misbehaviour> = [
  Misbehaviour.Respond({ status: 503, body: "" }),
  Misbehaviour.Respond({ status: 404 }),
  Misbehaviour.Hang()
]

const troubles: ReadonlyArray<Misbehaviour> = [...failures, Misbehaviour.Respond({ body: "{\"keys\":[]}" })]

/** Makes an issuer take a second to send its keys, which exist before. */
const slow = (issuer: Issuer): Effect.Effect<void> =>
  Effect.andThen(issuer.jwks, spoil(issuer, Misbehaviour.Respond({ delay: "1 second" })))

const requestsOf = (issuer: Issuer): Effect.Effect<number> =>
  Effect.map(
    Effect.forEach(keyPaths, (path) => issuer.hits(path)),
    (hits) => hits.reduce((all, some) => all + some, 0)
  )

const interruption: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-64",
    title: "MUST finish a verification for the callers that still wait when others disconnect",
    source: "CWE-362; CWE-772",
    runs: 5
  },
  { leaving: int(1, 4), sameToken: oneOf([true, false]), afterMillis: int(0, 900) },
  ({ afterMillis, leaving, sameToken }) =>
    Effect.gen(function*() {
      const subject = yield* VerifierUnderTest
      const { issuer, sign, verify } = yield* subject.anew(slow)
      const token = yield* sign({ expiresIn })
      const others = yield* Effect.forEach(
        Array.from({ length: leaving }, (_, index) => `other-${index}`),
        (sub) => sameToken ? Effect.succeed(token) : sign({ expiresIn, claims: { sub } })
      )
      const leave = yield* Effect.forEach(
        others,
        (other) => Effect.forkChild(verify(other), { startImmediately: true })
      )
      const staying = yield* Effect.forkChild(accepted(verify, token), { startImmediately: true })
      yield* TestClock.adjust(afterMillis)
      yield* atOnce(Effect.forEach(leave, Fiber.interrupt, { discard: true }))
      yield* inTime(Fiber.join(staying))
      for (const other of others) yield* inTime(accepted(verify, other))
      yield* issuer.behave()
      // After all callers have left, the next token is verified.
      const last = yield* subject.anew(slow)
      const alone = yield* Effect.forkChild(last.verify(yield* last.sign()), { startImmediately: true })
      yield* TestClock.adjust(afterMillis)
      yield* atOnce(Fiber.interrupt(alone))
      yield* inTime(accepted(last.verify, yield* last.sign({ expiresIn })))
    })
)

/** The requirements on outages with a history, interruption and floods, for verifiers that fetch their keys. */
export const persistence = (
  { fetchesKeys, issuer }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> =>
  fetchesKeys
    ? [
      // A running issuer uses another clock for its delay.
      ...(issuer === undefined ? [interruption] : []),
      requirement(
        {
          id: "JWT-65",
          title: "MUST accept a token within a minute after its key is published, even if it was rejected before",
          source: "OpenID Connect Core 1.0, section 10.1.1",
          runs: 3
        },
        { looks: int(1, 3), pause: int(0, 600) },
        ({ looks, pause }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const { issuer, sign, verify } = yield* subject.anew()
            yield* accepted(verify, yield* sign())
            const next = yield* issuer.rotate()
            yield* issuer.removeKey(next.kid)
            const early = yield* sign({ key: next, expiresIn })
            for (let look = 0; look < looks; look++) yield* rejected(verify, early)
            yield* TestClock.adjust(pause * 1_000)
            yield* issuer.publishKey(next.publicJwk)
            yield* TestClock.adjust("1 minute")
            yield* accepted(verify, early)
          })
      ),
      requirement(
        {
          id: "JWT-72",
          title: "MUST NOT accept unsigned or forged tokens while the provider is down, regardless of earlier tokens",
          source: "CWE-347; RFC 8725, section 3.1",
          runs: 2
        },
        { minutes: int(0, 300), sub: oneOf(["ada", "bob"]) },
        ({ minutes, sub }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const checkOne = Effect.fnUntraced(function*(misbehaviour: Misbehaviour) {
              const { issuer, sign, stranger, verify } = yield* subject.anew()
              const good = yield* sign({ expiresIn, claims: { sub } })
              yield* accepted(verify, good)
              const [header, payload] = partsOf(good)
              const [, , otherSignature] = partsOf(yield* sign({ claims: { sub: "another" } }))
              const { kid } = yield* issuer.key()
              const forged = [
                yield* sign({ key: yield* stranger.key(), header: { kid }, expiresIn, claims: { sub } }),
                yield* sign({ key: yield* stranger.key(), header: { kid: "new" }, expiresIn, claims: { sub } }),
                `${header}.${payload}.${otherSignature}`,
                `${header}.${payload}.`
              ]
              yield* spoil(issuer, misbehaviour)
              for (const pause of [minutes, 24 * 60]) {
                yield* TestClock.adjust(pause * 60_000)
                for (const one of forged) yield* whileTimePasses(notAccepted(verify, one, "forged in an outage"))
              }
            }, Effect.scoped)
            yield* Effect.forEach(troubles, checkOne, { discard: true })
          })
      ),
      requirement(
        {
          id: "JWT-74",
          title: "MUST NOT ask the provider again for each token with an unknown key",
          source: "OpenID Connect Core 1.0, section 10.1.1; CWE-770",
          runs: 3
        },
        { kids: Arbitrary.array(int(0, 1_000_000), { minLength: 10, maxLength: 20 }) },
        ({ kids }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const { issuer, sign, verify } = yield* subject.anew()
            yield* accepted(verify, yield* sign())
            const before = yield* requestsOf(issuer)
            for (const kid of kids) yield* rejected(verify, yield* sign({ header: { kid: `unknown-${kid}` } }))
            assert.isAtMost((yield* requestsOf(issuer)) - before, 2)
            yield* accepted(verify, yield* sign())
          })
      ),
      requirement(
        {
          id: "JWT-75",
          title:
            "MUST reject a withdrawn key's tokens within a day after an outage is over, also if they were accepted before",
          source: "RFC 7517, section 5; RFC 9111, section 4.2.4",
          runs: 2
        },
        { minutes: int(1, 300), looks: int(1, 3) },
        ({ looks, minutes }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const checkOne = Effect.fnUntraced(function*(misbehaviour: Misbehaviour) {
              const { issuer, sign, verify } = yield* subject.anew()
              const old = yield* issuer.key()
              const next = yield* issuer.rotate()
              const remembered = yield* sign({ key: old, expiresIn: "5 days" })
              yield* accepted(verify, remembered)
              yield* spoil(issuer, misbehaviour)
              yield* TestClock.adjust(minutes * 60_000)
              for (let look = 0; look < looks; look++) {
                yield* whileTimePasses(Effect.exit(verify(yield* sign({ key: next, expiresIn }))))
              }
              yield* issuer.behave()
              yield* acceptedAtLast(verify, Effect.succeed(remembered))
              yield* issuer.removeKey(old.kid)
              yield* TestClock.adjust("1 day")
              yield* rejected(verify, remembered)
              yield* rejected(verify, yield* sign({ key: old, expiresIn }))
              yield* accepted(verify, yield* sign({ key: next }))
            }, Effect.scoped)
            yield* Effect.forEach(failures, checkOne, { discard: true })
          })
      ),
      requirement(
        {
          id: "JWT-76",
          title: "MUST fail with ProviderUnavailable within half a minute while the provider does not respond",
          source: "RFC 9110, section 15.6; CWE-400",
          runs: 2
        },
        { looks: int(1, 3) },
        ({ looks }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const { issuer, sign, verify } = yield* subject.anew((issuer) => spoil(issuer, Misbehaviour.Hang()))
            for (let look = 0; look < looks; look++) {
              yield* inTime(unavailable(verify, yield* sign({ expiresIn })))
            }
            yield* issuer.behave()
            yield* acceptedAtLast(verify, sign({ expiresIn }))
          })
      )
    ]
    : []

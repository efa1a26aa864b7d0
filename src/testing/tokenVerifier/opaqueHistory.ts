/** What a verifier has learned is used for a limited time, and for the bearer that it is about. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, subject } from "./arbitrary.ts"
import { type Bearer, type Outage, unverifiedEmail } from "./OpaqueTokens.ts"
import { OpaqueVerifierUnderTest } from "./OpaqueVerifierUnderTest.ts"
import { accepted, acceptedAtLast, atOnce, decided, notAccepted, whileTimePasses } from "./verdict.ts"

const bearer: Bearer = {
  subject: "ada",
  clientId: "desktop",
  scopes: ["mcp:read"],
  email: "ada@example.com",
  name: "Ada",
  expiresIn: Duration.hours(12)
}

/** Runs an effect while the provider fails, and waits until the verifier has recovered. */
const during = Effect.fnUntraced(
  function*<A>(outage: Outage, effect: Effect.Effect<A, never, OpaqueVerifierUnderTest>) {
    const { issue, verify } = yield* OpaqueVerifierUnderTest
    yield* outage.begin
    yield* Effect.ensuring(whileTimePasses(effect), outage.end)
    yield* acceptedAtLast(verify, issue(bearer))
  }
)

/** The requirements on how long, and for whom, a verifier uses what it has learned. */
export const opaqueHistory = (
  { expires }: { readonly expires: boolean }
): ReadonlyArray<Requirement<OpaqueVerifierUnderTest>> => [
  requirement(
    {
      id: "OPAQUE-15",
      title:
        "MUST NOT accept a token in an outage for longer than it may cache a verdict, nor after the token's expiry",
      source: "RFC 7662, section 4; RFC 9111, section 4.2.4",
      runs: 2
    },
    { life: int(10, 100), looks: int(1, 3) },
    ({ life, looks }) =>
      Effect.gen(function*() {
        const { issue, outages, settings: { remembersSeconds, skew }, verify } = yield* OpaqueVerifierUnderTest
        for (const outage of outages) {
          const [lasting, short] = [
            yield* issue(bearer),
            yield* issue({ ...bearer, expiresIn: Duration.seconds(life) })
          ]
          for (let look = 1; look < looks; look++) {
            yield* accepted(verify, lasting)
            yield* accepted(verify, short)
          }
          yield* accepted(verify, lasting)
          const { expiresAt } = yield* accepted(verify, short)
          yield* during(
            outage,
            Effect.gen(function*() {
              // A verifier that does not know the end of a token uses the verdict for as long as any other.
              if (expires && expiresAt !== undefined) {
                yield* TestClock.adjust((life + skew) * 1_000)
                yield* notAccepted(verify, short, "it has expired in an outage")
              }
              yield* TestClock.adjust(remembersSeconds * 1_000)
              for (let look = 0; look < looks; look++) {
                yield* notAccepted(
                  verify,
                  lasting,
                  "the provider has not confirmed it for longer than a verdict may be cached"
                )
              }
            })
          )
        }
      })
  ),
  requirement(
    {
      id: "OPAQUE-16",
      title: "MUST accept a token a minute after the provider has rejected it by mistake, or did not know it yet",
      source: "RFC 7662, section 4",
      runs: 3
    },
    { looks: int(1, 8) },
    ({ looks }) =>
      Effect.gen(function*() {
        const { denial, issue, verify } = yield* OpaqueVerifierUnderTest
        if (denial === undefined) return
        const token = yield* issue(bearer)
        yield* denial.begin
        const look = Effect.andThen(
          notAccepted(verify, token, "the provider rejects it"),
          TestClock.adjust("2 seconds")
        )
        yield* Effect.ensuring(Effect.repeat(look, { times: looks }), denial.end)
        yield* TestClock.adjust("1 minute")
        yield* accepted(verify, token)
      })
  ),
  requirement(
    {
      id: "OPAQUE-17",
      title: "MUST NOT change an identity that it has returned",
      source: "CWE-362; CWE-488",
      runs: 10
    },
    { subjects: Arbitrary.array(subject, { minLength: 2, maxLength: 6 }) },
    ({ subjects }) =>
      Effect.gen(function*() {
        const { issue, verify } = yield* OpaqueVerifierUnderTest
        const returned = yield* Effect.forEach(
          subjects,
          (subject, index) =>
            Effect.map(
              Effect.flatMap(
                issue({ ...bearer, subject, scopes: [`scope-${index}`] }),
                (token) => accepted(verify, token)
              ),
              (identity) => ({ identity, copy: structuredClone(identity) })
            )
        )
        for (const { copy, identity } of returned) assert.deepStrictEqual(identity, copy)
      })
  ),
  requirement(
    {
      id: "OPAQUE-18",
      title: "MUST NOT report an e-mail address that the provider does not mark as verified",
      source: "OpenID Connect Core 1.0, section 5.1; CWE-290",
      runs: 1
    },
    { before: int(0, 1) },
    ({ before }) =>
      Effect.gen(function*() {
        const { issue, unverified, verify } = yield* OpaqueVerifierUnderTest
        if (unverified === undefined) return
        if (before > 0) yield* accepted(verify, yield* issue(bearer))
        for (const said of [false, "false", "False", "no", "", 0, 1, [], [true], {}]) {
          const verdict = yield* decided(verify, yield* unverified(said))
          if ("subject" in verdict) {
            assert.notStrictEqual(verdict.email, unverifiedEmail, `email_verified is ${String(said)}`)
          }
        }
      })
  ),
  requirement(
    {
      id: "OPAQUE-19",
      title: "MUST accept a token at once that it has just accepted, while the provider does not respond to others",
      source: "CWE-400; RFC 7662, section 4",
      runs: 2
    },
    { others: int(1, 4) },
    ({ others }) =>
      Effect.gen(function*() {
        const { issue, settings: { remembersSeconds }, silence, verify } = yield* OpaqueVerifierUnderTest
        if (silence === undefined || remembersSeconds === 0) return
        const token = yield* issue(bearer)
        yield* accepted(verify, token)
        yield* silence.begin
        yield* Effect.gen(function*() {
          for (let other = 0; other < others; other++) {
            yield* Effect.forkChild(Effect.exit(verify(yield* issue(bearer))), { startImmediately: true })
          }
          yield* atOnce(accepted(verify, token))
        }).pipe(Effect.ensuring(silence.end))
      })
  )
]

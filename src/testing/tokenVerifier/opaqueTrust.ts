/** The provider's responses are checked, and verification sends no more requests than necessary. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int } from "./arbitrary.ts"
import type { Bearer } from "./OpaqueTokens.ts"
import { OpaqueVerifierUnderTest } from "./OpaqueVerifierUnderTest.ts"
import { accepted, acceptedAtLast, atOnce, inTime, notAccepted, unavailable, whileTimePasses } from "./verdict.ts"

const bearer: Bearer = {
  subject: "ada",
  clientId: "desktop",
  scopes: ["mcp:read"],
  email: "ada@example.com",
  name: "Ada",
  expiresIn: Duration.hours(12)
}

/** The requirements on how a verifier checks the responses of its provider, and on its requests. */
export const opaqueTrust: ReadonlyArray<Requirement<OpaqueVerifierUnderTest>> = [
  requirement(
    {
      id: "OPAQUE-09",
      title:
        "MUST NOT accept a token that the provider describes as inactive, not valid now, for another audience, of another issuer, or without a subject",
      source: "RFC 7662, sections 2.2 and 4; RFC 7519, section 4.1",
      runs: 2
    },
    { before: int(0, 1) },
    ({ before }) =>
      Effect.gen(function*() {
        const { issue, unacceptable, verify } = yield* OpaqueVerifierUnderTest
        const good = yield* issue(bearer)
        if (before > 0) yield* accepted(verify, good)
        for (const { says, token } of yield* unacceptable) {
          yield* notAccepted(verify, token, says)
          yield* accepted(verify, good)
          yield* notAccepted(verify, token, says)
        }
      })
  ),
  requirement(
    {
      id: "OPAQUE-10",
      title: "MUST NOT ask a failing provider more than twice for one token",
      source: "RFC 9110, section 15.6.4; CWE-770",
      runs: 2
    },
    { looks: int(1, 2) },
    ({ looks }) =>
      Effect.gen(function*() {
        const { issue, outages, requests, verify } = yield* OpaqueVerifierUnderTest
        for (const outage of outages) {
          const tokens = yield* Effect.forEach(Array.from({ length: looks }), () => issue(bearer))
          const before = yield* requests
          yield* outage.begin
          yield* Effect.ensuring(
            whileTimePasses(Effect.forEach(tokens, (token) => unavailable(verify, token), { discard: true })),
            outage.end
          )
          const after = yield* requests
          if (before !== undefined && after !== undefined) assert.isAtMost(after - before, 2 * looks)
          yield* acceptedAtLast(verify, issue(bearer))
        }
      })
  ),
  requirement(
    {
      id: "OPAQUE-11",
      title: "MUST finish a verification for the callers that still wait when others disconnect",
      source: "CWE-362; CWE-772",
      runs: 5
    },
    { leaving: Arbitrary.array(int(0, 1), { minLength: 1, maxLength: 4 }), afterMillis: int(0, 900) },
    ({ afterMillis, leaving }) =>
      Effect.gen(function*() {
        const { issue, slowness, verify } = yield* OpaqueVerifierUnderTest
        const [token, other] = [yield* issue(bearer), yield* issue({ ...bearer, subject: "bob" })]
        yield* slowness.begin
        const leave = yield* Effect.forEach(leaving, (which) =>
          Effect.forkChild(verify(which === 0 ? token : other), { startImmediately: true }))
        const staying = yield* Effect.forkChild(accepted(verify, token), { startImmediately: true })
        yield* TestClock.adjust(afterMillis)
        yield* atOnce(Effect.forEach(leave, Fiber.interrupt, { discard: true }))
        const { subject } = yield* Effect.ensuring(inTime(Fiber.join(staying)), slowness.end)
        assert.strictEqual(subject, bearer.subject)
        yield* inTime(accepted(verify, other))
        yield* inTime(accepted(verify, yield* issue(bearer)))
      })
  ),
  requirement(
    {
      id: "OPAQUE-12",
      title: "MUST verify the tokens of many callers at a time while the provider is slow",
      source: "CWE-400; RFC 7662, section 2",
      runs: 3
    },
    { callers: int(8, 24) },
    ({ callers }) =>
      Effect.gen(function*() {
        const { issue, slowness, verify } = yield* OpaqueVerifierUnderTest
        const tokens = yield* Effect.forEach(
          Array.from({ length: callers }, (_, index) => `caller-${index}`),
          (subject) => Effect.map(issue({ ...bearer, subject }), (token) => ({ subject, token }))
        )
        yield* slowness.begin
        const all = Effect.forEach(tokens, ({ subject, token }) =>
          Effect.map(accepted(verify, token), (identity) =>
            assert.strictEqual(identity.subject, subject)), {
          concurrency: "unbounded",
          discard: true
        })
        // Each takes a second; one after the other, they take more than five.
        yield* Effect.ensuring(inTime(all, 5), slowness.end)
      })
  ),
  requirement(
    {
      id: "OPAQUE-13",
      title:
        "MUST fail with ProviderUnavailable within half a minute while the provider does not respond, and let callers leave",
      source: "RFC 9110, section 15.6; CWE-400",
      runs: 2
    },
    { looks: int(1, 3), afterMillis: int(0, 900) },
    ({ afterMillis, looks }) =>
      Effect.gen(function*() {
        const { issue, silence, verify } = yield* OpaqueVerifierUnderTest
        if (silence === undefined) return
        yield* accepted(verify, yield* issue(bearer))
        yield* silence.begin
        yield* Effect.gen(function*() {
          const leaving = yield* Effect.forkChild(verify(yield* issue(bearer)), { startImmediately: true })
          yield* TestClock.adjust(afterMillis)
          yield* atOnce(Fiber.interrupt(leaving))
          for (let look = 0; look < looks; look++) yield* inTime(unavailable(verify, yield* issue(bearer)))
        }).pipe(Effect.ensuring(silence.end))
        yield* acceptedAtLast(verify, issue(bearer))
      })
  ),
  requirement(
    {
      id: "OPAQUE-14",
      title: "MUST NOT stop asking a provider after one failed request: a client may have caused it",
      source: "CWE-770; CWE-400",
      runs: 2
    },
    { pause: int(0, 3) },
    ({ pause }) =>
      Effect.gen(function*() {
        const { issue, outages, verify } = yield* OpaqueVerifierUnderTest
        for (const outage of outages) {
          const [failing, other] = [yield* issue(bearer), yield* issue({ ...bearer, subject: "bob" })]
          yield* outage.begin
          yield* Effect.ensuring(whileTimePasses(unavailable(verify, failing)), outage.end)
          yield* TestClock.adjust(pause * 1_000)
          yield* accepted(verify, other)
        }
      })
  )
]

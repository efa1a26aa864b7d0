import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { start } from "../verify/support.ts"
import { assertAll, counted, gatewayOf, jwksPath, settled, together, warnings, withChaos } from "./chaos.ts"

const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const scope = yield* Scope.fork(yield* Effect.scope)
  const issuer = yield* Scope.provide(
    TestIssuer.make({ algorithms: ["ES256"], expiresIn: "1 day" }),
    scope
  )
  const token = yield* issuer.sign()
  return { issuer, token, scope, hits: issuer.hits(jwksPath), open: gatewayOf(jwtProvider(issuer)) }
})

type Issuer = Effect.Success<ReturnType<typeof setUp>>["issuer"]

const misbehave = (behaviour: Misbehaviour) => (issuer: Issuer) => issuer.misbehave(jwksPath, behaviour, Infinity)

/** How a provider is down, and whether a request to it ends by itself. */
const outages = [
  ["503", misbehave(Misbehaviour.Respond({ status: 503 })), true],
  ["broken connections", misbehave(Misbehaviour.Disconnect({ after: "HalfBody" })), true],
  ["refused connections", (_: Issuer, scope: Scope.Closeable) => Scope.close(scope, Exit.void), true],
  ["silence", misbehave(Misbehaviour.Hang()), false]
] as const

describe("Outages", () => {
  for (const [name, begin, ends] of outages) {
    it.effect(`JWKS-21 10 minutes of ${name} fail no good token, cached or not, and cause at most 6 fetches a minute`, () =>
      withChaos(Effect.gen(function*() {
        const { issuer, open, scope, token } = yield* setUp()
        const verify = yield* open
        assert.strictEqual(yield* verify(token), "accepted")
        yield* begin(issuer, scope)
        const outcomes: Array<string> = []
        for (let second = 0; second < 600; second += 5) {
          yield* TestClock.adjust("5 seconds")
          const fresh = yield* issuer.sign({ claims: { jti: String(second) } })
          outcomes.push(...yield* together([verify(token), verify(fresh), verify(fresh), verify(token)]))
          if (ends) yield* settled
        }
        assertAll(outcomes, "accepted")
        const failures = yield* counted("mcp_authorizer.key.fetches", { outcome: "failure" })
        // From 10 seconds before the keys expire.
        assert.isAtLeast(failures, 20)
        assert.isAtMost(failures, 310 / 10 + 1)
        assert.isAbove(yield* counted("mcp_authorizer.key.stale_serves"), 0)
        assert.isNotEmpty(yield* warnings("stale", new URL(issuer.jwksUri).host))
      })))
  }

  it.effect("JWKS-21 a provider that recovers is noticed within the back-off", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, open, token } = yield* setUp()
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "accepted")
      yield* misbehave(Misbehaviour.Respond({ status: 503 }))(issuer)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* verify(token), "accepted")
      yield* issuer.behave()
      const { kid } = yield* issuer.key()
      yield* issuer.removeKey(kid)
      yield* TestClock.adjust(9_999)
      assert.strictEqual(yield* verify(token), "accepted")
      assert.strictEqual(yield* hits, 2)
      yield* TestClock.adjust(1)
      yield* verify(token)
      yield* settled
      assert.strictEqual(yield* hits, 3)
      assert.strictEqual(yield* verify(token), "UnknownKey")
    })))

  it.effect("JWKS-21 after an hour the gateway reports an outage instead of rejecting tokens, and then it recovers", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, open, token } = yield* setUp()
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "accepted")
      yield* misbehave(Misbehaviour.Respond({ status: 503 }))(issuer)
      yield* TestClock.adjust(3_600_000 + 300_000 - 1)
      assert.strictEqual(yield* verify(token), "accepted")
      yield* settled
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* verify(token), "ProviderUnavailable")
      const before = yield* hits
      for (let times = 0; times < 100; times++) assert.strictEqual(yield* verify(token), "ProviderUnavailable")
      assert.strictEqual(yield* hits, before)
      yield* issuer.behave()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* verify(token), "accepted")
    })))

  it.effect("JWKS-06 on a cold cache the first failure comes within 5 seconds, and recovery 10 seconds later", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, open, token } = yield* setUp()
      yield* issuer.misbehave(jwksPath, Misbehaviour.Hang(), Infinity)
      const verify = yield* open
      const waiting = yield* Effect.forkChild(together(Array.from({ length: 100 }, () => verify(token))))
      yield* issuer.awaitHits(jwksPath, 1)
      yield* TestClock.adjust(4_999)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust(1)
      assertAll(yield* Fiber.join(waiting), "ProviderUnavailable")
      assert.strictEqual(yield* hits, 1)
      assert.isNotEmpty(yield* warnings("could not be fetched", "Timeout"))
      yield* issuer.behave()
      yield* TestClock.adjust(9_999)
      assert.strictEqual(yield* verify(token), "ProviderUnavailable")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* verify(token), "accepted")
      assert.strictEqual(yield* hits, 2)
    })))

  it.effect("JWKS-06 on a warm cache good tokens do not wait for a silent provider", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, open, token } = yield* setUp()
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "accepted")
      yield* issuer.misbehave(jwksPath, Misbehaviour.Hang(), Infinity)
      // During the fetch ahead of time, and during the retries after each failure.
      yield* TestClock.adjust("290 seconds")
      for (let second = 0; second < 120; second++) {
        assert.strictEqual(yield* verify(token), "accepted")
        yield* TestClock.adjust("1 second")
      }
      // Positive control: it has been silent all the time.
      assert.isAtLeast(yield* counted("mcp_authorizer.key.fetches", { outcome: "failure" }), 7)
    })))

  it.effect("CACHE-07 a clock that steps back an hour neither delays recovery nor prolongs trust in keys", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, open, token } = yield* setUp()
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 503 }))
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "ProviderUnavailable")
      yield* TestClock.setTime((start - 3600) * 1000)
      // Valid only after the step is made good; the provider's own clock is right.
      const early = yield* issuer.sign()
      assert.strictEqual(yield* verify(early), "ProviderUnavailable")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* verify(early), "accepted")
      assert.strictEqual(yield* hits, 2)
      const { kid } = yield* issuer.key()
      yield* issuer.removeKey(kid)
      yield* TestClock.setTime((start - 7200) * 1000)
      const later = yield* issuer.sign()
      yield* TestClock.adjust("290 seconds")
      assert.strictEqual(yield* verify(later), "accepted")
      yield* eventually(Effect.map(hits, (count) => count === 3))
      yield* settled
      assert.strictEqual(yield* verify(later), "UnknownKey")
    })))

  it.effect("CACHE-07 a clock that steps back and forth causes no storm", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, open, token } = yield* setUp()
      const verify = yield* open
      yield* verify(token)
      const before = yield* hits
      for (let round = 0; round < 50; round++) {
        yield* TestClock.setTime((start - 3600) * 1000)
        yield* verify(token)
        yield* TestClock.setTime((start - 3600 + round) * 1000)
        yield* verify(yield* issuer.sign())
        yield* settled
      }
      // Steps back and 50 forward of 20 minutes altogether, which count as time that has passed.
      assert.isAtMost((yield* hits) - before, 1 + 1225 / 290)
    })))
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAll, gatewayOf, jwksPath, settled, tally, together, withChaos, withKeyId } from "../keys/chaos.ts"
import { start } from "../verify/support.ts"

const total = 10_000
const seconds = 60

/** An issuer with tokens that outlive the test, and a gateway in front of it. */
const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], expiresIn: "1 day" })
  const good = yield* issuer.sign()
  return { issuer, good, open: gatewayOf(jwtProvider(issuer)), hits: issuer.hits(jwksPath) }
})

/** 10,000 tokens with unknown key ids within a minute, in bursts, and with each burst ten good ones. */
const flood = Effect.fnUntraced(function*(
  verify: Effect.Success<ReturnType<typeof gatewayOf>>,
  tokens: { readonly bad: string; readonly good: string }
) {
  const bad: Array<string> = []
  const good: Array<string> = []
  const burst = Math.ceil(total / seconds)
  for (let second = 0; second < seconds; second++) {
    const size = Math.min(burst, total - bad.length)
    const outcomes = yield* together(
      Array.from({ length: size }, (_, index) => verify(withKeyId(tokens.bad, `unknown-${second}-${index}`)))
    )
    bad.push(...outcomes)
    good.push(...yield* together(Array.from({ length: 10 }, () => verify(tokens.good))))
    yield* settled
    yield* TestClock.adjust("1 second")
  }
  return { bad, good }
})

describe("Floods", () => {
  it.effect("JWKS-01 10,000 tokens with unknown key ids cause at most 2 fetches a minute, and good tokens still pass", () =>
    withChaos(Effect.gen(function*() {
      const { good: token, hits, open } = yield* setUp()
      const verify = yield* open
      // The gateway fetches the keys when it starts, flood or not.
      yield* settled
      assert.strictEqual(yield* hits, 1)
      const { bad, good } = yield* flood(verify, { bad: token, good: token })
      assert.deepStrictEqual(tally(bad), { UnknownKey: total })
      assertAll(good, "accepted")
      assert.strictEqual((yield* hits) - 1, 2)
    })))

  it.effect("JWKS-02 10,000 tokens cause at most 6 fetches a minute while the provider fails on a cold cache", () =>
    withChaos(Effect.gen(function*() {
      const { good: token, hits, issuer, open } = yield* setUp()
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 500 }), Infinity)
      const verify = yield* open
      const { bad, good } = yield* flood(verify, { bad: token, good: token })
      // The token cannot be verified now, which is not the callers' fault.
      assert.deepStrictEqual(tally(bad), { ProviderUnavailable: total })
      assertAll(good, "ProviderUnavailable")
      assert.strictEqual(yield* hits, 6)
    })))

  it.effect("JWKS-02 10,000 tokens cause at most 6 fetches a minute while the provider fails on a warm cache, and good tokens still pass", () =>
    withChaos(Effect.gen(function*() {
      const { good: token, hits, issuer, open } = yield* setUp()
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "accepted")
      const before = yield* hits
      yield* issuer.misbehave(jwksPath, Misbehaviour.Disconnect({ after: "Head" }), Infinity)
      const { bad, good } = yield* flood(verify, { bad: token, good: token })
      assert.deepStrictEqual(tally(bad), { ProviderUnavailable: total })
      assertAll(good, "accepted")
      assert.strictEqual((yield* hits) - before, 2)
    })))

  it.effect("JWKS-02 10,000 tokens cause at most 6 fetches a minute while the provider fails on a stale cache, and good tokens still pass", () =>
    withChaos(Effect.gen(function*() {
      const { good: token, hits, issuer, open } = yield* setUp()
      const verify = yield* open
      assert.strictEqual(yield* verify(token), "accepted")
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 500 }), Infinity)
      yield* TestClock.adjust("10 minutes")
      const before = yield* hits
      const { bad, good } = yield* flood(verify, { bad: token, good: token })
      assert.deepStrictEqual(tally(bad), { ProviderUnavailable: total })
      assertAll(good, "accepted")
      assert.strictEqual((yield* hits) - before, 6)
    })))

  it.effect("JWKS-03 a thousand simultaneous requests on a cold cache cause 1 fetch", () =>
    withChaos(Effect.gen(function*() {
      const { good, hits, issuer, open } = yield* setUp()
      const tokens = [good]
      for (let count = 1; count < 20; count++) tokens.push(yield* issuer.sign({ claims: { jti: String(count) } }))
      const verify = yield* open
      const outcomes = yield* together(Array.from({ length: 1000 }, (_, index) => verify(tokens[index % 20] ?? good)))
      assertAll(outcomes, "accepted")
      assert.strictEqual(yield* hits, 1)
    })))

  it.effect("JWKS-03 unknown keys among the thousand cause no second fetch", () =>
    withChaos(Effect.gen(function*() {
      const { good, hits, open } = yield* setUp()
      const verify = yield* open
      const outcomes = yield* together(
        Array.from({ length: 1000 }, (_, index) => verify(index % 2 === 0 ? withKeyId(good, `unknown-${index}`) : good))
      )
      assert.deepStrictEqual(tally(outcomes), { UnknownKey: 500, accepted: 500 })
      assert.isAtMost(yield* hits, 2)
    })))

  it.effect("JWKS-04 a thousand requests that wait for a failing fetch fail together, and the next attempt works", () =>
    withChaos(Effect.gen(function*() {
      const { good, hits, issuer, open } = yield* setUp()
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 503 }))
      const verify = yield* open
      const thousand = Effect.suspend(() => together(Array.from({ length: 1000 }, () => verify(good))))
      assertAll(yield* thousand, "ProviderUnavailable")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("10 seconds")
      assertAll(yield* thousand, "accepted")
      assert.strictEqual(yield* hits, 2)
    })))
})

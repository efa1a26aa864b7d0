import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { start } from "../verify/support.ts"
import { assertAll, counted, gatewayOf, jwksPath, settled, together, withChaos, withKeyId } from "./chaos.ts"

const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], expiresIn: "1 day" })
  const verify = yield* gatewayOf(jwtProvider(issuer))
  // Other requests with valid tokens continue all the time; each pass sends some known tokens and some new ones.
  const sign = (jti: string) => issuer.sign({ claims: { jti } })
  return { issuer, verify, sign, hits: issuer.hits(jwksPath) }
})

describe("Rotations", () => {
  it.effect("JWKS-23 100 rotations under load, each key used as soon as it is published, fail no good token", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, sign, verify } = yield* setUp()
      const outcomes: Array<string> = []
      let live = [yield* sign("first")]
      outcomes.push(...yield* together(live.map(verify)))
      for (let round = 0; round < 100; round++) {
        const { kid: oldKid } = yield* issuer.key()
        yield* issuer.rotate()
        const fresh = [yield* sign(`${round}a`), yield* sign(`${round}b`)]
        const load = Array.from({ length: 40 }, (_, index) => [...live, ...fresh][index % (live.length + 2)] ?? "")
        outcomes.push(...yield* together(load.map(verify)))
        // The old key is removed once its tokens are no longer sent; one of them arrives nevertheless.
        yield* issuer.removeKey(oldKid)
        const removed = live.at(-1) ?? ""
        live = fresh
        for (const seconds of [10, 10, 11 + (round * 7) % 60]) {
          yield* TestClock.adjust(`${seconds} seconds`)
          outcomes.push(...yield* together(live.map(verify)))
          yield* settled
        }
        // The response does not matter, but it must not affect the other tokens.
        yield* verify(removed)
        yield* settled
      }
      assertAll(outcomes, "accepted")
      // Each rotation makes it fetch once; a removed key that is still shown, once more at most.
      assert.isAtLeast(yield* hits, 101)
      assert.isAtMost(yield* hits, 301)
    })))

  it.effect("JWKS-23 keys that are published before they are used need no fetch of their own, however often they change", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, sign, verify } = yield* setUp()
      const outcomes: Array<string> = []
      let next = yield* issuer.key()
      yield* verify(yield* sign("first"))
      // Ten keys ahead: each is published for 400 seconds before it signs.
      const ahead = [next]
      for (let round = 0; round < 100; round++) {
        ahead.push(yield* issuer.rotate())
        if (ahead.length > 10) {
          next = ahead.shift() ?? next
          const tokens = [yield* issuer.sign({ key: next }), yield* issuer.sign({ key: next, claims: { jti: "b" } })]
          outcomes.push(...yield* together([...tokens, ...tokens].map(verify)))
          yield* settled
          yield* issuer.removeKey(next.kid)
        }
        yield* TestClock.adjust("40 seconds")
      }
      assertAll(outcomes, "accepted")
      // 4,000 seconds of 290 each, and the first.
      assert.isAtMost(yield* hits, Math.ceil(4000 / 290) + 1)
    })))

  it.effect("JWKS-23 a key that is published while a slow response is on its way is found", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, sign, verify } = yield* setUp()
      const first = yield* sign("first")
      assert.strictEqual(yield* verify(first), "accepted")
      // The response is written before the rotation and arrives after it.
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ delay: "3 seconds" }))
      yield* TestClock.adjust("290 seconds")
      assert.strictEqual(yield* verify(first), "accepted")
      yield* issuer.awaitHits(jwksPath, 2)
      yield* issuer.rotate()
      const second = yield* sign("second")
      const waiting = yield* Effect.forkChild(verify(second), { startImmediately: true })
      yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })
      yield* TestClock.adjust("3 seconds")
      yield* eventually(Effect.sync(() => waiting.pollUnsafe() !== undefined))
      assert.strictEqual(yield* verify(second), "accepted")
      const exit = waiting.pollUnsafe()
      assert.deepInclude(exit, { _tag: "Success", value: "accepted" })
      assert.strictEqual(yield* hits, 3)
    })))

  for (const maxAge of [60, 300, 900]) {
    it.effect(`JWKS-22 a key removed at any moment is rejected ${maxAge} s + 5 s later, cached verdicts included`, () =>
      withChaos(Effect.gen(function*() {
        const { issuer, sign, verify } = yield* setUp()
        const headers = { "cache-control": `max-age=${maxAge}` }
        yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ headers }), Infinity)
        const longest: Array<number> = []
        // Just after a fetch, in the middle, while it is fetched ahead, and just before the next.
        for (const after of [0, Math.floor(maxAge / 2), maxAge - 11, maxAge - 1]) {
          const { kid } = yield* issuer.key()
          const removed = [yield* sign(`${after}a`), yield* sign(`${after}b`)] as const
          yield* TestClock.adjust(`${2 * maxAge} seconds`)
          assertAll(yield* together(removed.slice(0, 1).map(verify)), "accepted")
          yield* settled
          yield* TestClock.adjust(`${after} seconds`)
          assert.strictEqual(yield* verify(removed[0]), "accepted")
          yield* settled
          yield* issuer.rotate()
          yield* issuer.removeKey(kid)
          const other = yield* sign(`${after}c`)
          const until = { seen: -1, unseen: -1 }
          for (let second = 0; second <= maxAge + 5; second++) {
            // The other key is not looked up before the end, because that would cause another fetch.
            if ((yield* verify(removed[0])) === "accepted") until.seen = second
            if (second % 10 === 0 && (yield* verify(removed[1])) === "accepted") until.unseen = second
            yield* settled
            yield* TestClock.adjust("1 second")
          }
          assert.isBelow(until.seen, maxAge + 5)
          assert.isAtMost(until.unseen, until.seen)
          assert.strictEqual(yield* verify(removed[0]), "UnknownKey")
          assert.strictEqual(yield* verify(removed[1]), "UnknownKey")
          assert.strictEqual(yield* verify(other), "accepted")
          longest.push(until.seen)
        }
        // Positive control: it is used for as long as the set is fresh.
        assert.isAtLeast(Math.max(...longest), maxAge - 11)
        assert.isAbove(yield* counted("mcp_authorizer.verdict.lookups", { outcome: "hit" }), 4)
      })))
  }

  it.effect("JWKS-24 replicas that disagree cause no storm, and keys that both have keep working", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, sign, verify } = yield* setUp()
      const common = yield* sign("common")
      const before = JSON.stringify(yield* issuer.jwks)
      yield* issuer.rotate()
      const onlyNew = yield* sign("new")
      const outcomes: Array<string> = []
      const fetched = yield* hits
      for (let second = 0; second < 300; second++) {
        // Every other response comes from a replica that lags behind.
        yield* issuer.behave()
        if (second % 2 === 0) yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body: before }), Infinity)
        outcomes.push(yield* verify(common))
        yield* verify(onlyNew)
        yield* verify(withKeyId(common, "unknown"))
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      assertAll(outcomes, "accepted")
      assert.isAtMost((yield* hits) - fetched, 2 * 5)
    })))
})

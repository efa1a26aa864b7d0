import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAll, gatewayOf, jwksPath, settled, tally, together, withChaos, withKeyId } from "../keys/chaos.ts"
import { skew, start } from "../verify/support.ts"

const metadataPath = "/.well-known/openid-configuration"

const options = { algorithms: ["ES256"], expiresIn: "1 day" } as const

const makeIssuers = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  return { good: yield* TestIssuer.make(options), bad: yield* TestIssuer.make(options) }
})

type Issuer = TestIssuer["Service"]

const always = (behaviour: Misbehaviour) => (issuer: Issuer) => issuer.misbehave(jwksPath, behaviour, Infinity)

const troubles: ReadonlyArray<readonly [name: string, (issuer: Issuer, victim: Issuer) => Effect.Effect<void>]> = [
  ["down", always(Misbehaviour.Respond({ status: 503 }))],
  ["cutting connections", always(Misbehaviour.Disconnect({ after: "Head" }))],
  ["silent", always(Misbehaviour.Hang())],
  ["dripping", always(Misbehaviour.Drip({ interval: "1 second" }))],
  ["flooding", always(Misbehaviour.Flood({ bytes: Infinity }))],
  ["redirecting to the other", (issuer, victim) => always(Misbehaviour.Redirect({ location: victim.jwksUri }))(issuer)]
]

describe("Several providers", () => {
  for (const [name, begin] of troubles) {
    it.effect(`one that is ${name} causes the other's tokens neither a fetch nor a wait`, () =>
      withChaos(Effect.gen(function*() {
        const { bad, good } = yield* makeIssuers()
        yield* begin(bad, good)
        const verify = yield* gatewayOf(jwtProvider(bad, { name: "bad" }), jwtProvider(good, { name: "good" }))
        const tokens = [yield* good.sign(), yield* good.sign({ claims: { jti: "other" } })]
        const badToken = yield* bad.sign()
        const outcomes: Array<string> = []
        for (let second = 0; second < 30; second++) {
          // A hundred tokens of the one in trouble wait, or not, while those of the other pass.
          yield* Effect.forkChild(together([
            ...Array.from({ length: 50 }, () => verify(badToken)),
            ...Array.from({ length: 50 }, (_, index) => verify(withKeyId(badToken, `${second}-${index}`)))
          ]))
          outcomes.push(...yield* together([...tokens, ...tokens].map(verify)))
          yield* TestClock.adjust("1 second")
        }
        assertAll(outcomes, "accepted")
        assert.strictEqual(yield* good.hits(jwksPath), 1)
        assert.isAtMost(yield* bad.hits(jwksPath), 4)
      })))
  }

  it.effect("JWKS-25 keys of one verify no token of the other", () =>
    withChaos(Effect.gen(function*() {
      const { bad, good } = yield* makeIssuers()
      const { kid } = yield* good.key()
      const forger = yield* makeSigningKey({ algorithm: "ES256", kid })
      const { kid: own } = yield* bad.key()
      yield* bad.removeKey(own)
      yield* bad.publishKey(forger.publicJwk)
      const verify = yield* gatewayOf(jwtProvider(bad, { name: "bad" }), jwtProvider(good, { name: "good" }))
      assert.strictEqual(yield* verify(yield* bad.sign({ key: forger })), "accepted")
      assert.strictEqual(
        yield* verify(yield* bad.sign({ key: forger, claims: { iss: good.issuer } })),
        "InvalidSignature"
      )
      assert.strictEqual(yield* verify(yield* good.sign()), "accepted")
    })))

  it.effect("DISC-05 all may be down at start: each recovers without a restart", () =>
    withChaos(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuers = [
        yield* TestIssuer.make(options),
        yield* TestIssuer.make(options),
        yield* TestIssuer.make(options)
      ]
      for (const issuer of issuers) {
        yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 503 }), Infinity)
        yield* issuer.misbehave(metadataPath, Misbehaviour.Disconnect({ after: "Request" }), Infinity)
      }
      const providers = issuers.map((issuer, index) =>
        jwtProvider(issuer, {
          name: `p${index}`,
          // One of them is found by discovery.
          keys: index === 0 ? { _tag: "Discovery" } : { _tag: "Jwks", uri: issuer.jwksUri }
        })
      )
      const registry = yield* ProviderRegistry.make({ providers, clockSkewSeconds: skew })
      const tokens = yield* Effect.forEach(issuers, (issuer) => issuer.sign())
      const outcomes = together(
        tokens.map((token) =>
          Effect.match(Effect.flatMap(registry.select(BearerToken.make(token)), ({ verify }) => verify), {
            onFailure: ({ _tag }) => _tag as string,
            onSuccess: () => "accepted"
          })
        )
      )
      const states = Effect.map(
        registry.readiness,
        (all) => all.map(({ ready, state }) => `${state}${ready ? ", ready" : ""}`)
      )
      yield* settled
      assert.deepStrictEqual(yield* states, ["unavailable", "unavailable", "unavailable"])
      for (let minute = 0; minute < 10; minute++) {
        assertAll(yield* outcomes, "ProviderUnavailable")
        yield* settled
        yield* TestClock.adjust("1 minute")
      }
      const expected = ["ProviderUnavailable", "ProviderUnavailable", "ProviderUnavailable"]
      for (const [index, issuer] of issuers.entries()) {
        yield* outcomes
        yield* settled
        yield* issuer.behave()
        yield* TestClock.adjust("10 seconds")
        expected[index] = "accepted"
        assert.deepStrictEqual(yield* outcomes, expected)
        yield* settled
        assert.deepStrictEqual(
          yield* states,
          expected.map((outcome) => outcome === "accepted" ? "fresh, ready" : "unavailable")
        )
      }
    })))

  it.effect("JWKS-01 a flood at one does not use up the other's fetches", () =>
    withChaos(Effect.gen(function*() {
      const { bad, good } = yield* makeIssuers()
      const verify = yield* gatewayOf(jwtProvider(bad, { name: "bad" }), jwtProvider(good, { name: "good" }))
      const token = yield* bad.sign()
      yield* settled
      for (let second = 0; second < 60; second++) {
        const outcomes = yield* together(
          Array.from({ length: 20 }, (_, index) => verify(withKeyId(token, `${second}-${index}`)))
        )
        assert.deepStrictEqual(tally(outcomes), { UnknownKey: 20 })
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* bad.hits(jwksPath), 3)
      assert.strictEqual(yield* good.hits(jwksPath), 1)
      yield* good.rotate()
      assert.strictEqual(yield* verify(yield* good.sign()), "accepted")
      assert.strictEqual(yield* good.hits(jwksPath), 2)
    })))
})

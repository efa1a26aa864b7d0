/** A verifier of the program behind a prefix, with the cache and the breaker of the gateway's own providers. */
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { type Identity, InvalidToken, ProviderUnavailable, TokenVerifier, type VerificationError } from "mcp-authorizer"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { Requester } from "../../src/fairness/Requester.ts"
import { SharedIo } from "../../src/fairness/SharedIo.ts"
import { WaitUntil } from "../../src/fairness/WaitUntil.ts"
import { sha256 } from "../../src/node/sha256.ts"
import type { PrefixOptions } from "../../src/verify/prefixVerdicts.ts"
import { Sha256 } from "../../src/verify/tokenDigest.ts"

const owner = (subject: string, expiresAt?: number): Identity => ({
  subject,
  clientId: undefined,
  issuer: "https://keys.example",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "keys",
  expiresAt,
  claims: {}
})

const unknown = new InvalidToken({ reason: "UnknownToken", provider: "keys", detail: "no such key" })
const down = new ProviderUnavailable({ provider: "keys", detail: "the database is down", retryAfter: 1 })

const Others = Layer.succeed(TokenVerifier, {
  verify: () => Effect.succeed(owner("other")),
  peek: () => owner("other")
})

/** A verifier whose function returns the results of `respond`, and its calls. */
const setUp = Effect.fnUntraced(function*(
  respond: (key: string) => Effect.Effect<Identity, VerificationError>,
  options?: PrefixOptions,
  references: Layer.Layer<never> = Layer.succeed(Sha256, sha256)
) {
  const calls: Array<string> = []
  const services = yield* Layer.build(
    TokenVerifier.layerPrefixCached("key_", (token) =>
      Effect.suspend(() => {
        calls.push(Redacted.value(token))
        return respond(Redacted.value(token))
      }), options).pipe(
        Layer.provide([Others, Digest.layerWebCrypto]),
        Layer.provide(references)
      )
  )
  const { peek, verify } = yield* Effect.provideContext(TokenVerifier, services)
  return { calls, peek: peek ?? assert.fail("no peek"), verify: (token: string) => verify(BearerToken.make(token)) }
})

describe("TokenVerifier.layerPrefixCached", () => {
  it.effect("caches accepted and rejected keys for their time, and gives other tokens to the wrapped verifier", () =>
    Effect.gen(function*() {
      const { calls, peek, verify } = yield* setUp((key) =>
        key === "key_a" ? Effect.succeed(owner("alice")) : Effect.fail(unknown)
      )
      assert.isUndefined(peek("key_a"))
      for (let i = 0; i < 3; i++) {
        assert.strictEqual((yield* verify("key_a")).subject, "alice")
        assert.strictEqual(yield* Effect.flip(verify("key_b")), unknown)
      }
      assert.strictEqual(peek("key_a")?.subject, "alice")
      assert.isUndefined(peek("key_b"))
      assert.strictEqual(peek("token")?.subject, "other")
      assert.strictEqual((yield* verify("token")).subject, "other")
      assert.deepStrictEqual(calls, ["key_a", "key_b"])
      yield* TestClock.adjust("11 seconds")
      yield* Effect.flip(verify("key_b"))
      yield* verify("key_a")
      assert.deepStrictEqual(calls, ["key_a", "key_b", "key_b"])
      yield* TestClock.adjust("5 minutes")
      yield* verify("key_a")
      assert.strictEqual(calls.length, 4)
    }))

  it.effect("caches for the times that are given, never beyond the end of the identity", () =>
    Effect.gen(function*() {
      const { calls, verify } = yield* setUp(
        (key) =>
          key === "key_no" ? Effect.fail(unknown) : Effect.succeed(owner(key, key === "key_ending" ? 20 : undefined)),
        { remember: { accepted: "1 hour", rejected: "1 minute" } }
      )
      const all = Effect.gen(function*() {
        yield* verify("key_ending")
        yield* verify("key_long")
        yield* Effect.flip(verify("key_no"))
      })
      yield* all
      yield* TestClock.adjust("19 seconds")
      yield* all
      assert.strictEqual(calls.length, 3)
      yield* TestClock.adjust("2 seconds")
      yield* all
      assert.deepStrictEqual(calls.slice(3), ["key_ending"])
      yield* TestClock.adjust("1 minute")
      yield* all
      assert.deepStrictEqual(calls.slice(4), ["key_ending", "key_no"])
    }))

  it.effect("asks for each request where nothing is to be remembered", () =>
    Effect.gen(function*() {
      const { calls, peek, verify } = yield* setUp(() => Effect.succeed(owner("alice")), { remember: false })
      yield* verify("key_a")
      yield* verify("key_a")
      assert.strictEqual(calls.length, 2)
      assert.isUndefined(peek("key_a"))
    }))

  it.effect("shares one call among simultaneous requests with one key", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { calls, verify } = yield* setUp(() => Effect.as(Deferred.await(gate), owner("alice")))
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 10 }, () => verify("key_a")), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Deferred.succeed(gate, undefined)
      assert.lengthOf(yield* Fiber.join(waiting), 10)
      assert.lengthOf(calls, 1)
    }))

  it.effect("pauses a function that fails, and calls it again later; known keys keep their verdict", () =>
    Effect.gen(function*() {
      let isDown = false
      const { calls, verify } = yield* setUp((key) => isDown ? Effect.fail(down) : Effect.succeed(owner(key)))
      yield* verify("key_known")
      isDown = true
      const from = (group: string, key: string) =>
        Effect.provideService(Effect.exit(verify(key)), Requester, { group, member: group, isKnown: false })
      for (let i = 0; i < 20; i++) yield* from(`peer-${i}`, `key_${i}`)
      assert.isBelow(calls.length, 12)
      const paused = yield* Effect.flip(verify("key_late"))
      assert.strictEqual(paused._tag, "ProviderUnavailable")
      assert.include(paused.detail ?? "", "the database is down")
      assert.strictEqual((yield* verify("key_known")).subject, "key_known")
      isDown = false
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* verify("key_late")).subject, "key_late")
    }))

  it.effect("calls the function for every key without the breaker", () =>
    Effect.gen(function*() {
      const { calls, verify } = yield* setUp(() => Effect.fail(down), { breaker: false })
      for (let i = 0; i < 20; i++) yield* Effect.flip(verify(`key_${i}`))
      assert.lengthOf(calls, 20)
    }))

  it.effect("renews a verdict after the response where the host keeps that alive, and not at all elsewhere", () =>
    Effect.gen(function*() {
      const alone = Layer.succeed(SharedIo, false)
      const work: Array<Promise<unknown>> = []
      const given = Effect.provideService(WaitUntil, (promise: Promise<unknown>) => void work.push(promise))
      const without = yield* setUp(() => Effect.succeed(owner("alice")), {}, alone)
      const withIt = yield* setUp(() => Effect.succeed(owner("alice")), {}, alone)
      yield* without.verify("key_a")
      yield* given(withIt.verify("key_a"))
      yield* TestClock.adjust("270 seconds")
      yield* without.verify("key_a")
      yield* given(withIt.verify("key_a"))
      assert.lengthOf(work, 1)
      yield* Effect.promise(() => Promise.all(work))
      assert.lengthOf(without.calls, 1)
      assert.lengthOf(withIt.calls, 2)
      // The renewed verdict holds beyond the first one's end.
      yield* TestClock.adjust("60 seconds")
      yield* given(withIt.verify("key_a"))
      assert.lengthOf(withIt.calls, 2)
    }))
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { JwsAlgorithm } from "../../src/config/GatewaySettings.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { TestIssuerOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { eventually } from "../fixtures/eventually.ts"
import { withProviders } from "../verify/support.ts"

const path = "/oauth2/jwks"

/** An issuer, a cache, and the most frequent lookup: the key `kid`. */
const setUp = Effect.fnUntraced(function*(options?: TestIssuerOptions) {
  const issuer = yield* TestIssuer.make(options)
  const cache = yield* JwksCache
  const source: JwksSource = { _tag: "Jwks", uri: issuer.jwksUri, allowedDomains: [] }
  // Generating RSA keys takes long: now, not within the first response.
  const { kid } = yield* issuer.key()
  const ask = (wanted: string | undefined = kid, alg: JwsAlgorithm = "RS256", from: JwksSource = source) =>
    Effect.match(cache.keyFor(from, { alg, kid: wanted }), {
      onFailure: ({ _tag }) => _tag,
      onSuccess: ({ type }) => type
    })
  return { issuer, cache, source, kid, ask, hits: issuer.hits(path) }
})

const all = <A>(count: number, effect: Effect.Effect<A>) =>
  Effect.map(
    Effect.all(Array.from({ length: count }, () => effect), { concurrency: "unbounded" }),
    (responses) => [...new Set(responses)]
  )

describe("JwksCache", () => {
  it.effect("JWKS-03 fetches once for a thousand simultaneous requests", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits } = yield* setUp()
      assert.deepStrictEqual(yield* all(1000, ask()), ["public"])
      assert.strictEqual(yield* hits, 1)
    })))

  it.effect("caches keys for 5 minutes", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits } = yield* setUp()
      yield* ask()
      yield* TestClock.adjust(299_999)
      assert.strictEqual(yield* ask(), "public")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* ask(), "public")
      assert.strictEqual(yield* hits, 2)
    })))

  it.effect("JWKS-27 caches keys as long as Cache-Control says, within limits", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      const cases = [["max-age=600", 600], ["max-age=1", 60], ["max-age=999999999", 86_400]] as const
      for (const [field, seconds] of cases) {
        yield* issuer.misbehave(path, Misbehaviour.Respond({ headers: { "cache-control": field } }))
        yield* TestClock.adjust("24 hours")
        const before = yield* hits
        yield* ask()
        yield* TestClock.adjust(seconds * 1000 - 1)
        yield* ask()
        assert.strictEqual((yield* hits) - before, 1)
        yield* TestClock.adjust(1)
        yield* ask()
        assert.strictEqual((yield* hits) - before, 2)
      }
    })))

  it.effect("JWKS-05 continues the fetch when the request that caused it is cancelled", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ delay: "1 second" }))
      const first = yield* Effect.forkChild(ask())
      yield* eventually(Effect.map(hits, (count) => count === 1))
      const second = yield* Effect.forkChild(ask())
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(second), "public")
      assert.strictEqual(yield* hits, 1)
    })))

  it.effect("JWKS-05 continues the fetch when all requests are cancelled, so that leaving clients cause no second one", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ delay: "1 second" }))
      for (let round = 0; round < 10; round++) {
        const fiber = yield* Effect.forkChild(ask())
        yield* eventually(Effect.map(hits, (count) => count > 0))
        yield* Fiber.interrupt(fiber)
      }
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* ask(), "public")
      assert.strictEqual(yield* hits, 1)
    })))

  it.effect("JWKS-04 fails all waiting requests together, and fetches again only after 10 seconds", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 500 }))
      assert.deepStrictEqual(yield* all(100, ask()), ["KeysUnavailable"])
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust(9_999)
      assert.strictEqual(yield* ask(), "KeysUnavailable")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* ask(), "public")
      assert.strictEqual(yield* hits, 2)
    })))

  it.effect("JWKS-02 fetches from a failing provider at most 6 times a minute on a cold cache", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 500 }), Infinity)
      for (let second = 0; second < 60; second++) {
        assert.deepStrictEqual(yield* all(10, ask("unknown")), ["KeysUnavailable"])
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(yield* hits, 6)
      assert.isAtLeast(yield* hits, 2)
    })))

  it.effect("JWKS-01 fetches from a healthy provider at most twice a minute for unknown keys, and serves known ones", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits } = yield* setUp()
      for (let second = 0; second < 60; second++) {
        assert.deepStrictEqual(yield* all(20, ask(`unknown-${second}`)), ["UnknownKey"])
        assert.strictEqual(yield* ask(), "public")
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(yield* hits, 2)
    })))

  it.effect("JWKS-02 JWKS-21 keeps fresh keys when a refetch fails, and counts the failure", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      yield* ask()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 500 }), Infinity)
      for (let second = 0; second < 60; second++) {
        // It is unknown whether the key exists, which is not the caller's fault.
        assert.deepStrictEqual(yield* all(10, ask("unknown")), ["KeysUnavailable"])
        assert.strictEqual(yield* ask(), "public")
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* hits, 3)
      yield* issuer.behave()
      assert.strictEqual(yield* ask("unknown"), "UnknownKey")
      assert.strictEqual(yield* ask(), "public")
    })))

  it.effect("JWKS-23 fetches once for a token with a new key, and then has the old and the new one", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer, kid } = yield* setUp()
      assert.strictEqual(yield* ask(), "public")
      const rotated = yield* issuer.rotate()
      const mixed = yield* Effect.all(
        Array.from({ length: 200 }, (_, index) => ask(index % 2 === 0 ? kid : rotated.kid)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([...new Set(mixed)], ["public"])
      assert.strictEqual(yield* hits, 2)
      // A second rotation within 30 seconds must wait for them.
      const again = yield* issuer.rotate()
      assert.strictEqual(yield* ask(again.kid), "UnknownKey")
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* ask(again.kid), "UnknownKey")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* ask(again.kid), "public")
      assert.strictEqual(yield* hits, 3)
    })))

  it.effect("JWKS-22 replaces the set: a removed key is rejected when freshness ends", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer, kid } = yield* setUp()
      assert.strictEqual(yield* ask(), "public")
      yield* issuer.rotate()
      yield* issuer.removeKey(kid)
      assert.strictEqual(yield* ask(), "public")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* ask(), "UnknownKey")
    })))

  it.effect("JWKS-20 takes an empty set for a revocation, but not a failure", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* setUp()
      const spoilt = ["{}", "{\"keys\":{}}", "<html>", ""]
      for (const body of spoilt) {
        yield* issuer.misbehave(path, Misbehaviour.Respond({ body }))
        assert.strictEqual(yield* ask(), "KeysUnavailable", body)
        yield* TestClock.adjust("10 seconds")
      }
      assert.strictEqual(yield* ask(), "public")
      yield* TestClock.adjust("5 minutes")
      yield* issuer.misbehave(path, Misbehaviour.Respond({ body: "{\"keys\":[]}" }))
      assert.strictEqual(yield* ask(), "UnknownKey")
    })))

  it.effect("JWKS-16 does not fetch again for a token without kid that several keys fit", () =>
    withProviders(Effect.gen(function*() {
      const { ask, cache, hits, issuer, source } = yield* setUp()
      yield* issuer.rotate()
      assert.strictEqual(yield* ask(), "public")
      for (let count = 0; count < 5; count++) {
        const error = yield* Effect.flip(cache.keyFor(source, { alg: "RS256", kid: undefined }))
        assert.strictEqual(error._tag, "UnknownKey")
        assert.include(error.detail, "more than one key fits RS256, and the token names none")
      }
      assert.strictEqual(yield* hits, 1)
      // The other reason does make it fetch.
      assert.strictEqual(yield* ask("unknown"), "UnknownKey")
      assert.strictEqual(yield* hits, 2)
    })))

  it.effect("JWKS-25 keeps sources apart", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer, source } = yield* setUp()
      const other = yield* TestIssuer.make()
      const stranger = yield* makeSigningKey({ algorithm: "RS256", kid: "stranger" })
      yield* other.publishKey(stranger.publicJwk)
      const second: JwksSource = { _tag: "Jwks", uri: other.jwksUri, allowedDomains: [] }
      assert.strictEqual(yield* ask("stranger", "RS256", second), "public")
      assert.strictEqual(yield* ask("stranger"), "UnknownKey")
      yield* other.misbehave(path, Misbehaviour.Respond({ status: 500 }), Infinity)
      yield* TestClock.adjust("65 minutes")
      assert.strictEqual(yield* ask("stranger", "RS256", second), "KeysUnavailable")
      assert.strictEqual(yield* ask(), "public")
      // The same URI for other hosts is checked against its own list.
      const strict: JwksSource = { ...source, allowedDomains: ["*.authkit.app"] }
      assert.strictEqual(yield* ask(undefined, "RS256", strict), "KeysUnavailable")
      assert.strictEqual(yield* issuer.hits(path), 2)
    })))

  it.effect("reports whether keys are usable, and fetches them in the background", () =>
    withProviders(Effect.gen(function*() {
      const { cache, hits, issuer, source } = yield* setUp()
      const usable = Effect.map(cache.phase(source), ({ usable }) => usable)
      const phase = Effect.map(cache.phase(source), ({ phase }) => phase)
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 500 }))
      assert.isFalse(yield* usable)
      yield* eventually(Effect.map(hits, (count) => count === 1))
      yield* TestClock.adjust("10 seconds")
      yield* eventually(usable)
      assert.strictEqual(yield* hits, 2)
      // Past its end, and not yet known to be out of reach.
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 500 }), Infinity)
      yield* TestClock.adjust("5 minutes")
      assert.isTrue(yield* usable)
      yield* eventually(Effect.map(phase, (is) => is === "stale"))
      assert.isTrue(yield* usable)
      assert.strictEqual(yield* hits, 3)
      yield* TestClock.adjust("1 hour")
      yield* eventually(Effect.map(phase, (is) => is === "unavailable"))
      assert.isFalse(yield* usable)
      yield* TestClock.adjust("10 seconds")
      yield* issuer.behave(path)
      yield* issuer.misbehave(path, Misbehaviour.Respond({ body: "{\"keys\":[]}" }))
      yield* cache.prefetch(source)
      yield* eventually(Effect.map(phase, (is) => is === "fresh"))
      assert.isFalse(yield* usable)
    })))
})

describe("JwksCache with discovery", () => {
  const discover = Effect.fnUntraced(function*(options?: TestIssuerOptions) {
    const { ask, issuer, ...rest } = yield* setUp(options)
    const source: JwksSource = { _tag: "Discovery", issuer: issuer.issuer, allowedDomains: [] }
    return { ...rest, issuer, source, ask: (kid?: string) => ask(kid, "RS256", source) }
  })

  const metadata = "/.well-known/openid-configuration"

  it.effect("finds the keys, and caches both documents", () =>
    withProviders(Effect.gen(function*() {
      const { ask, hits, issuer } = yield* discover()
      assert.deepStrictEqual(yield* all(100, ask()), ["public"])
      assert.strictEqual(yield* ask("unknown"), "UnknownKey")
      assert.strictEqual(yield* hits, 2)
      assert.strictEqual(yield* issuer.hits(metadata), 1)
    })))

  it.effect("DISC-01 rejects a document of another issuer", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* discover()
      const say = (named: unknown) =>
        Effect.forEach([metadata, "/.well-known/oauth-authorization-server"], (path) =>
          issuer.misbehave(
            path,
            Misbehaviour.Respond({ body: JSON.stringify({ issuer: named, jwks_uri: issuer.jwksUri }) })
          ))
      for (const named of ["https://evil.example", `${issuer.issuer}//`, [issuer.issuer], null, undefined]) {
        yield* say(named)
        assert.strictEqual(yield* ask(), "KeysUnavailable")
        yield* TestClock.adjust("10 seconds")
      }
      yield* say(`${issuer.issuer}/`)
      assert.strictEqual(yield* ask(), "public")
    })))

  it.effect("DISC-04 rejects a jwks_uri that is not allowed", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* discover()
      const uris = ["http://169.254.169.254/", "http://10.0.0.1/jwks", "file:///etc/passwd", "x", undefined, [
        issuer.jwksUri
      ]]
      for (const jwks_uri of uris) {
        const body = JSON.stringify({ issuer: issuer.issuer, jwks_uri })
        yield* issuer.misbehave(metadata, Misbehaviour.Respond({ body, headers: { "cache-control": "max-age=60" } }))
        assert.strictEqual(yield* ask(), "KeysUnavailable")
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(yield* ask(), "public")
    })))

  it.effect("DISC-05 recovers from a provider that is down", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* discover()
      yield* issuer.misbehave(metadata, Misbehaviour.Respond({ status: 503 }))
      assert.deepStrictEqual(yield* all(10, ask()), ["KeysUnavailable"])
      assert.strictEqual(yield* issuer.hits(metadata), 1)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* ask(), "public")
    })))

  it.effect("DISC-05 fails within 5 seconds, however many requests are slow", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* discover()
      yield* issuer.misbehave(metadata, Misbehaviour.Respond({ delay: "4 seconds" }))
      yield* issuer.misbehave(path, Misbehaviour.Hang())
      const asked = yield* Effect.forkChild(ask())
      yield* issuer.awaitHits(metadata, 1)
      yield* TestClock.adjust("4 seconds")
      yield* issuer.awaitHits(path, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(asked), "KeysUnavailable")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* ask(), "public")
    })))

  it.effect("DISC-03 finds an issuer with a path, also where RFC 8414 puts its metadata", () =>
    withProviders(Effect.gen(function*() {
      const { ask, issuer } = yield* discover({ path: "/tenant" })
      const openid = `/tenant${metadata}`
      yield* issuer.misbehave(openid, Misbehaviour.Respond({ status: 404 }), Infinity)
      const { kid } = yield* issuer.key()
      assert.strictEqual(yield* ask(kid), "public")
      assert.strictEqual(yield* issuer.hits(openid), 1)
      assert.strictEqual(yield* issuer.hits("/.well-known/oauth-authorization-server/tenant"), 1)
      assert.strictEqual(yield* issuer.hits("/tenant/oauth2/jwks"), 1)
    })))
})

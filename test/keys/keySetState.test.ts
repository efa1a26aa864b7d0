/** What operators see of cached keys: ages, the next fetch, and why a fetch failed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { eventually } from "../fixtures/eventually.ts"
import { withProviders } from "../verify/support.ts"

const path = "/oauth2/jwks"
const minutes = 60_000

const setUp = Effect.gen(function*() {
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
  const cache = yield* JwksCache
  const source: JwksSource = { _tag: "Jwks", uri: issuer.jwksUri, allowedDomains: [] }
  const { kid } = yield* issuer.key()
  const inspect = Effect.sync(() => cache.inspect?.(source) ?? assert.fail("nothing to inspect"))
  const ask = Effect.exit(cache.keyFor(source, { alg: "ES256", kid }))
  return { ask, inspect, issuer, kid, source }
})

describe("the state of a key set", () => {
  it.effect("starts no fetch, and has its keys, age and next fetch after one", () =>
    withProviders(Effect.gen(function*() {
      const { ask, inspect, issuer, kid, source } = yield* setUp
      const before = yield* inspect
      assert.deepStrictEqual([before.phase, before.keys, before.failures], ["empty", [], 0])
      assert.notProperty(before, "fetchedIn")
      assert.notProperty(before, "nextFetchIn")
      assert.strictEqual(yield* issuer.hits(path), 0)
      yield* ask
      yield* TestClock.adjust(minutes)
      const { freshUntilIn, keys, nextFetchIn, ...state } = yield* inspect
      assert.deepStrictEqual(state, {
        source: source._tag === "Jwks" ? source.uri : "",
        phase: "fresh",
        skipped: [],
        fetchedIn: -minutes,
        failures: 0
      })
      assert.strictEqual(freshUntilIn, 4 * minutes)
      assert.isTrue(nextFetchIn !== undefined && nextFetchIn > 0 && nextFetchIn < 4 * minutes)
      assert.deepStrictEqual(keys, [{ kid: kid ?? "", algorithms: ["ES256"] }])
      assert.strictEqual(yield* issuer.hits(path), 1)
    })))

  it.effect("says why fetches fail, how often, and when the next one is, and forgets it after a good one", () =>
    withProviders(Effect.gen(function*() {
      const { ask, inspect, issuer } = yield* setUp
      yield* ask
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 503 }), 2)
      yield* TestClock.adjust(5 * minutes)
      yield* ask
      const failed = yield* inspect
      assert.deepStrictEqual([failed.phase, failed.failures, failed.nextFetchIn], ["stale", 1, 10_000])
      assert.include(failed.lastFailure, "503")
      assert.lengthOf(failed.keys, 1)
      assert.strictEqual(failed.fetchedIn, -5 * minutes)
      yield* TestClock.adjust(10_000)
      yield* ask
      yield* eventually(Effect.map(inspect, ({ failures }) => failures === 2))
      yield* TestClock.adjust(10_000)
      yield* ask
      yield* eventually(Effect.map(inspect, ({ failures }) => failures === 0))
      const again = yield* inspect
      assert.deepStrictEqual([again.phase, again.fetchedIn], ["fresh", 0])
      assert.notProperty(again, "lastFailure")
    })))

  it.effect("names members that cannot be used, and shows no key material", () =>
    withProviders(Effect.gen(function*() {
      const { ask, inspect, issuer } = yield* setUp
      const { keys } = yield* issuer.jwks
      yield* issuer.misbehave(
        path,
        Misbehaviour.Respond({
          body: JSON.stringify({
            keys: [...keys, { kty: "RSA", kid: "half", e: "AQAB" }, { kty: "RSA", use: "enc", kid: "other" }]
          })
        })
      )
      yield* ask
      const state = yield* inspect
      assert.deepStrictEqual(state.skipped, [{ name: "\"half\"", reason: "MalformedMaterial" }])
      const [key] = keys
      const material = JSON.stringify(key).match(/"x":"([^"]+)"/)?.[1] ?? assert.fail("no material")
      assert.notInclude(JSON.stringify(state), material)
    })))
})

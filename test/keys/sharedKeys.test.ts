/** Keys that outlive instances: every lookup below is made by a new instance, over one store. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { SharedIo } from "../../src/fairness/SharedIo.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"

const path = "/oauth2/jwks"
const metadataPath = "/.well-known/openid-configuration"

/** One instance over a store. */
const instance = (used: KeyValueStore.KeyValueStore) =>
  JwksCache.layer.pipe(
    Layer.provide(ProviderMetadata.layerStored),
    Layer.provide(ProviderHttp.layer),
    Layer.provide([FetchHttpClient.layer, Layer.succeed(KeyValueStore.KeyValueStore, used)]),
    Layer.provide(Layer.succeed(SharedIo, false))
  )

const broken = (method: string) =>
  Effect.fail(new KeyValueStore.KeyValueStoreError({ method, message: "out of order" }))

const setUp = Effect.fnUntraced(function*(kind: JwksSource["_tag"] = "Jwks") {
  const issuer = yield* TestIssuer.make({ keys: "reused" })
  const store = yield* KeyValueStore.KeyValueStore.pipe(Effect.provide(KeyValueStore.layerMemory, { local: true }))
  const source: JwksSource = kind === "Jwks"
    ? { _tag: "Jwks", uri: issuer.jwksUri, allowedDomains: [] }
    : { _tag: "Discovery", issuer: issuer.issuer, allowedDomains: [] }
  // Generating RSA keys takes long: now, not within the first response.
  const first = yield* issuer.key()
  const ask = (kid: string, used = store) =>
    Effect.flatMap(JwksCache, (keys) => keys.keyFor(source, { alg: "RS256", kid })).pipe(
      Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ type }) => type }),
      Effect.provide(instance(used), { local: true })
    )
  const phase = Effect.flatMap(JwksCache, (keys) => keys.phase(source)).pipe(
    Effect.provide(instance(store), { local: true })
  )
  return { issuer, store, first: first.kid, ask, phase, hits: issuer.hits(path) }
})

describe("JwksCache over instances that live for one request", () => {
  for (const kind of ["Jwks", "Discovery"] as const) {
    it.effect(`SPIN-KEYS-04 MUST fetch once in a freshness window, however many instances ask (${kind})`, () =>
      Effect.gen(function*() {
        const { ask, first, hits, issuer } = yield* setUp(kind)
        for (let count = 0; count < 20; count++) {
          assert.strictEqual(yield* ask(first), "public")
          yield* TestClock.adjust("14 seconds")
        }
        assert.strictEqual(yield* hits, 1)
        assert.strictEqual(yield* issuer.hits(metadataPath), kind === "Jwks" ? 0 : 1)
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(yield* ask(first), "public")
        assert.strictEqual(yield* hits, 2)
      }))
  }

  it.effect("SPIN-KEYS-05 MUST find a rotated key at once, and look for unknown ones once in 30 seconds", () =>
    Effect.gen(function*() {
      const { ask, first, hits, issuer } = yield* setUp()
      assert.strictEqual(yield* ask(first), "public")
      const { kid } = yield* issuer.rotate()
      assert.strictEqual(yield* ask(kid), "public")
      assert.strictEqual(yield* ask(first), "public")
      assert.strictEqual(yield* hits, 2)
      for (let count = 0; count < 10; count++) assert.strictEqual(yield* ask(`unknown-${count}`), "UnknownKey")
      assert.strictEqual(yield* hits, 2)
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* ask("unknown"), "UnknownKey")
      assert.strictEqual(yield* ask("unknown"), "UnknownKey")
      assert.strictEqual(yield* hits, 3)
    }))

  it.effect("SPIN-KEYS-10 MUST NOT look for an unknown key twice, whichever instance looks", () =>
    Effect.gen(function*() {
      const { ask, hits, issuer } = yield* setUp()
      assert.strictEqual(yield* ask("unknown-1"), "UnknownKey")
      assert.strictEqual(yield* ask("unknown-2"), "UnknownKey")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("31 seconds")
      yield* issuer.misbehave(path, Misbehaviour.Hang())
      const looking = yield* Effect.forkChild(ask("unknown-3"))
      yield* issuer.awaitHits(path, 2)
      assert.strictEqual(yield* ask("unknown-4"), "UnknownKey")
      assert.strictEqual(yield* hits, 2)
      yield* Fiber.interrupt(looking)
    }))

  it.effect("SPIN-KEYS-11 MUST name unusable keys once, whichever instance fetches, and again when they change", () =>
    Effect.gen(function*() {
      const { ask, first, issuer } = yield* setUp()
      const { keys } = yield* issuer.jwks
      const half = { kty: "RSA", kid: "half", e: "AQAB" }
      const lines: Array<string> = []
      const logger = Logger.make((entry) => {
        const { annotations, message } = Logger.formatStructured.log(entry)
        if (message === "Keys of a provider are unusable") lines.push(JSON.stringify(annotations))
      })
      const linesAfter = Effect.fnUntraced(function*(...members: ReadonlyArray<unknown>) {
        const body = JSON.stringify({ keys: [...members, ...keys] })
        yield* issuer.misbehave(path, Misbehaviour.Respond({ body }))
        yield* TestClock.adjust("5 minutes")
        yield* Effect.provide(ask(first), Logger.layer([logger]))
        return lines.splice(0)
      })
      assert.include((yield* linesAfter(half))[0] ?? "", "half")
      assert.deepStrictEqual(yield* linesAfter(half), [])
      assert.deepStrictEqual(yield* linesAfter({ ...half, use: "enc" }), [])
      assert.lengthOf(yield* linesAfter({ ...half, d: "AA" }), 1)
    }))

  it.effect("SPIN-KEYS-06 MUST reject a withdrawn key when the window is over", () =>
    Effect.gen(function*() {
      const { ask, first, issuer } = yield* setUp()
      assert.strictEqual(yield* ask(first), "public")
      yield* issuer.rotate()
      yield* issuer.removeKey(first)
      assert.strictEqual(yield* ask(first), "public")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* ask(first), "UnknownKey")
    }))

  it.effect("SPIN-KEYS-07 MUST serve stale keys for an hour while the provider is down, and ask it 6 times a minute", () =>
    Effect.gen(function*() {
      const { ask, first, hits, issuer, phase } = yield* setUp()
      assert.strictEqual(yield* ask(first), "public")
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 503 }), Infinity)
      yield* TestClock.adjust("5 minutes")
      for (let second = 0; second < 60; second++) {
        assert.strictEqual(yield* ask(first), "public")
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(yield* hits, 1 + 6)
      assert.deepStrictEqual(yield* phase, { phase: "stale", usable: true })
      // Whether there is such a key by now is unknown.
      assert.strictEqual(yield* ask("another"), "KeysUnavailable")
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* ask(first), "KeysUnavailable")
      yield* issuer.behave()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* ask(first), "public")
    }))

  it.effect("SPIN-KEYS-08 MUST back off over instances while there are no keys at all", () =>
    Effect.gen(function*() {
      const { ask, first, hits, issuer, phase } = yield* setUp()
      yield* issuer.misbehave(path, Misbehaviour.Respond({ status: 503 }), Infinity)
      for (let count = 0; count < 10; count++) assert.strictEqual(yield* ask(first), "KeysUnavailable")
      assert.strictEqual(yield* hits, 1)
      assert.deepStrictEqual(yield* phase, { phase: "unavailable", usable: false })
      yield* issuer.behave()
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* phase, { phase: "fresh", usable: true })
      assert.strictEqual(yield* ask(first), "public")
    }))

  it.effect("SPIN-KEYS-09 MUST verify although the store fails, or holds what others wrote", () =>
    Effect.gen(function*() {
      const { ask, first, hits, issuer, store } = yield* setUp()
      const failing: KeyValueStore.KeyValueStore = { ...store, get: () => broken("get"), set: () => broken("set") }
      assert.strictEqual(yield* ask(first, failing), "public")
      assert.strictEqual(yield* ask(first, failing), "public")
      assert.strictEqual(yield* hits, 2)

      const far = 9_000_000_000
      const uri = issuer.jwksUri
      for (
        const entry of [
          "not json",
          "[]",
          `{"uri":"${uri}","jwks":7,"expires_at":100}`,
          `{"uri":"${uri}","jwks":{"keys":[]},"expires_at":"100"}`,
          // Times far in the past or future: neither trusted forever, nor a reason never to fetch again.
          `{"uri":"${uri}","jwks":{"keys":[]},"expires_at":${far},"retry_at":${far},"extra_until":${far},"failures":1}`
        ]
      ) {
        const before = yield* hits
        yield* store.set(`jwks:${issuer.jwksUri}`, entry)
        assert.strictEqual(yield* ask(first), "public", entry)
        assert.strictEqual((yield* hits) - before, 1, entry)
      }
    }).pipe(Effect.orDie))
})

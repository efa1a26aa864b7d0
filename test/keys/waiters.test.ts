import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { Requester } from "../../src/fairness/Requester.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { ProviderHttp, type ProviderResponse } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"

const source: JwksSource = { _tag: "Jwks", uri: "https://issuer.example/jwks", allowedDomains: [] }

/** The number of requests that may wait for one key set. */
const room = 1_024

/** Keys whose provider responds on command, and the result for each caller. */
const setUp = Effect.gen(function*() {
  const response = yield* Deferred.make<ProviderResponse>()
  const { kid, publicJwk } = yield* makeSigningKey({ algorithm: "ES256", kid: "current" })
  let asked = 0
  const http = Layer.succeed(ProviderHttp, {
    send: () =>
      Effect.suspend(() => {
        asked++
        return Deferred.await(response)
      })
  })
  const cache = yield* Effect.provide(
    JwksCache.make,
    ProviderMetadata.layer.pipe(Layer.provideMerge(http), Layer.provideMerge(KeyValueStore.layerMemory))
  )
  const outcomes: Record<string, Array<string>> = {}

  /** Looks up a key on behalf of a connection of a peer, without waiting for it. */
  const ask = (kid: string, group: string, member = "") => {
    const told = outcomes[group + member] ??= []
    return cache.keyFor(source, { alg: "ES256", kid }).pipe(
      Effect.match({ onFailure: ({ _tag }) => _tag as string, onSuccess: () => "found" }),
      Effect.tap((outcome) => Effect.sync(() => told.push(outcome))),
      Effect.provideService(Requester, { group, member, isKnown: false }),
      Effect.forkChild({ startImmediately: true })
    )
  }
  const told = (name: string) => {
    const counts: Record<string, number> = {}
    for (const outcome of outcomes[name] ?? []) counts[outcome] = (counts[outcome] ?? 0) + 1
    return counts
  }
  const turns = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })
  return {
    ask,
    asked: () => asked,
    kid,
    release: Effect.andThen(
      Deferred.succeed(response, { body: { keys: [publicJwk] }, cacheControl: undefined }),
      Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 50)))
    ),
    told,
    turns
  }
})

describe("Requests that wait for a provider's keys", () => {
  it.effect("JWKS-06 are 1,024 at most; more fail at once, and the keys are fetched once", () =>
    Effect.gen(function*() {
      const { ask, asked, kid, release, told, turns } = yield* setUp
      for (let index = 0; index < 20_000; index++) yield* ask(`unknown-${index}`, "flood")
      yield* turns
      assert.deepStrictEqual(told("flood"), { KeysUnavailable: 20_000 - room })
      yield* release
      assert.deepStrictEqual(told("flood"), { KeysUnavailable: 20_000 - room, UnknownKey: room })
      assert.strictEqual(asked(), 1)
      yield* ask(kid, "late")
      yield* turns
      assert.deepStrictEqual(told("late"), { found: 1 })
    }).pipe(Effect.scoped))

  it.effect("JWKS-06 make room for other peers during a flood, and for other connections of the same peer", () =>
    Effect.gen(function*() {
      const { ask, kid, release, told, turns } = yield* setUp
      for (let index = 0; index < 3_000; index++) yield* ask(`unknown-${index}`, "flood", "1")
      for (let index = 0; index < 100; index++) yield* ask(kid, "good", `${index}`)
      for (let index = 0; index < 10; index++) yield* ask(kid, "flood", "2")
      yield* turns
      assert.deepStrictEqual(told("flood1"), { KeysUnavailable: 3_000 - room + 110 })
      assert.deepStrictEqual(told("flood2"), {})
      yield* release
      assert.deepStrictEqual(told("flood2"), { found: 10 })
      for (let index = 0; index < 100; index++) assert.deepStrictEqual(told(`good${index}`), { found: 1 })
    }).pipe(Effect.scoped))
})

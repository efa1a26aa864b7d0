/** Opaque tokens whose verdicts outlive instances: every question below is asked by an instance of its own, over one store. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { InvalidToken, ProviderUnavailable, type VerificationError } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import type { IntrospectionProvider } from "../../src/providers/introspection.ts"
import { negativeMillis } from "../../src/verify/opaque/verdictLife.ts"
import { makeVerifyOpaque } from "../../src/verify/opaque/VerifyOpaque.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { introspectionProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"

const provider = introspectionProvider({
  issuer: "https://idp.example",
  audience: "mcp-api",
  introspectionEndpoint: "https://idp.example/introspect",
  client: { id: "gateway", secret: "secret" }
}, { name: "idp" })

const identity: Identity = {
  subject: "user-1",
  clientId: undefined,
  issuer: "https://idp.example",
  scopes: ["read"],
  email: undefined,
  name: undefined,
  provider: "idp",
  expiresAt: undefined,
  claims: { sub: "user-1", active: true }
}

/** A provider whose verdict is in the token's own text, and that counts its requests. */
const setUp = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore.pipe(Effect.provide(KeyValueStore.layerMemory, { local: true }))
  let asked = 0
  const verdictOf = (token: string) =>
    Effect.gen(function*(): Effect.fn.Return<Identity, VerificationError> {
      asked++
      if (token.startsWith("bad")) {
        return yield* new InvalidToken({ provider: "idp", reason: "Inactive", detail: "active is not true" })
      }
      if (token.startsWith("down")) {
        return yield* new ProviderUnavailable({ provider: "idp", detail: "timeout", retryAfter: 10 })
      }
      const life = /^ends-(\d+)/.exec(token)?.[1]
      const now = yield* Clock.currentTimeMillis
      return life === undefined ? identity : { ...identity, expiresAt: now / 1000 + Number(life) }
    })
  const ask = (token: string, changed: Partial<IntrospectionProvider> = {}) =>
    Effect.flatMap(TokenVerifier, ({ verify }) => verify(Redacted.make(token))).pipe(
      Effect.match({
        onFailure: (error) => error._tag === "InvalidToken" ? error.reason : error._tag,
        onSuccess: (found) => found
      }),
      Effect.provide(
        TokenVerifier.layerStored.pipe(
          Layer.provide([
            Layer.succeed(ProviderRegistry, {
              select: (given) =>
                Effect.succeed({
                  name: "idp",
                  rejectionMillis: negativeMillis,
                  verify: makeVerifyOpaque("idp", 0, (shown) => verdictOf(Redacted.value(shown)))(given)
                }),
              readiness: Effect.succeed([])
            }),
            Layer.succeed(KeyValueStore.KeyValueStore, store),
            Digest.layerWebCrypto,
            Layer.succeed(
              GatewayConfig,
              settings("http://127.0.0.1:1/mcp", { providers: [{ ...provider, ...changed }], clockSkewSeconds: 0 })
            )
          ])
        ),
        { local: true }
      )
    )
  return { ask, asked: () => asked, store }
})

describe("TokenVerifier over instances that live for one request", () => {
  it.effect("SPIN-VERDICT-06 MUST ask once in 5 minutes about a token, and give the same identity", () =>
    Effect.gen(function*() {
      const { ask, asked } = yield* setUp
      for (let minute = 0; minute < 5; minute++) {
        assert.deepStrictEqual(yield* ask("good"), identity)
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(asked(), 1)
      assert.deepStrictEqual(yield* ask("good"), identity)
      assert.strictEqual(asked(), 2)
    }))

  it.effect("SPIN-VERDICT-07 MUST NOT believe a verdict beyond the token's end", () =>
    Effect.gen(function*() {
      const { ask, asked } = yield* setUp
      yield* ask("ends-60")
      yield* TestClock.adjust("59 seconds")
      yield* ask("ends-60")
      assert.strictEqual(asked(), 1)
      yield* TestClock.adjust("1 second")
      yield* ask("ends-60")
      assert.strictEqual(asked(), 2)
    }))

  it.effect("SPIN-VERDICT-08 MUST cache a rejection for 10 seconds, and an outage not at all", () =>
    Effect.gen(function*() {
      const { ask, asked } = yield* setUp
      assert.strictEqual(yield* ask("bad"), "Inactive")
      assert.strictEqual(yield* ask("bad"), "Inactive")
      assert.strictEqual(asked(), 1)
      yield* TestClock.adjust("10 seconds")
      yield* ask("bad")
      assert.strictEqual(asked(), 2)
      assert.strictEqual(yield* ask("down"), "ProviderUnavailable")
      assert.strictEqual(yield* ask("down"), "ProviderUnavailable")
      assert.strictEqual(asked(), 4)
    }))

  it.effect("SPIN-VERDICT-09 MUST NOT use one token's verdict for another, or one configuration's for another", () =>
    Effect.gen(function*() {
      const { ask, asked } = yield* setUp
      yield* ask("good")
      yield* ask("good ")
      yield* ask("good", { audience: ["another"] })
      assert.strictEqual(asked(), 3)
    }))

  it.effect("SPIN-VERDICT-10 MUST hold a bounded number of entries, none of them with a token or a secret", () =>
    Effect.gen(function*() {
      const { ask, store } = yield* setUp
      for (let number = 0; number < 200; number++) yield* ask(`${number % 2 === 0 ? "good" : "bad"}-${number}`)
      const names = yield* store.keys
      for (const name of names) {
        assert.match(name, /^(?:verdict|rejection):[\w+/]{2}$/)
        assert.notMatch((yield* store.get(name)) ?? "", /good-|bad-|secret/)
      }
    }).pipe(Effect.orDie))

  it.effect("SPIN-VERDICT-11 MUST ask the provider where the store holds what others wrote", () =>
    Effect.gen(function*() {
      const { ask, asked, store } = yield* setUp
      yield* ask("good")
      const [name = ""] = yield* store.keys
      const entry = (yield* store.get(name)) ?? ""
      const spoiled = [
        "not json",
        "{}",
        entry.replace(`"subject":"user-1"`, `"subject":""`),
        entry.replace(/"digest":"./, `"digest":"_`),
        entry.replace(/"until":\d+/, `"until":"later"`)
      ]
      for (const [index, text] of spoiled.entries()) {
        assert.notStrictEqual(text, entry)
        yield* store.set(name, text)
        assert.deepStrictEqual(yield* ask("good"), identity)
        assert.strictEqual(asked(), index + 2, text)
      }
    }).pipe(Effect.orDie))
})

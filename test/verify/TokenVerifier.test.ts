import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import type { Provider } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { InvalidToken } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { hmacSigner, makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { sha256 } from "../../src/node/sha256.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { Sha256 } from "../../src/verify/tokenDigest.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { eventually } from "../fixtures/eventually.ts"
import { jwtProvider, staticProvider, staticToken, userinfoProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, skew, start, verifierOf, withProviders } from "./support.ts"

const ada: Identity = {
  subject: "ada",
  clientId: undefined,
  issuer: "https://as.example",
  scopes: ["a"],
  email: "ada@example.com",
  name: undefined,
  provider: "main",
  expiresAt: undefined,
  claims: {}
}

const rejectedBy = (provider: string) => new InvalidToken({ provider, reason: "UnknownToken", detail: "test" })

/** Accepts `good` and rejects everything else. */
const Inner = Layer.succeed(TokenVerifier, {
  verify: (token) => Redacted.value(token) === "good" ? Effect.succeed(ada) : Effect.fail(rejectedBy("inner"))
})

/** A directory of users, as an embedding application would have one. */
class Users extends Context.Service<Users, Ref.Ref<ReadonlyArray<string>>>()(
  "mcp-authorizer/test/verify/TokenVerifier.test/Users"
) {
  static readonly layer = Layer.effect(Users, Ref.make<ReadonlyArray<string>>([]))
}

const verify = (token: string) => TokenVerifier.use((verifier) => verifier.verify(BearerToken.make(token)))

describe("TokenVerifier", () => {
  it.effect("layerPrefix gives tokens with the prefix to the function alone, and others to the inner verifier", () => {
    const Subject = TokenVerifier.layerPrefix("wcd_", (token) =>
      Redacted.value(token) === "wcd_good"
        ? Effect.succeed({ ...ada, provider: "keys" })
        : Effect.fail(rejectedBy("keys"))).pipe(Layer.provide(Inner))
    return Effect.gen(function*() {
      assert.strictEqual((yield* verify("wcd_good")).provider, "keys")
      assert.strictEqual((yield* verify("good")).provider, "main")
      assert.deepInclude(yield* Effect.flip(verify("wcd_bad")), { provider: "keys" })
      assert.deepInclude(yield* Effect.flip(verify("WCD_good")), { provider: "inner" })
    }).pipe(Effect.provide(Subject))
  })

  it.effect("layerPrefix passes on synchronous results of the inner verifier, except for tokens with the prefix", () => {
    const Known = Layer.succeed(TokenVerifier, { verify: () => Effect.succeed(ada), peek: () => ada })
    const wrapped = (inside: typeof Known) =>
      TokenVerifier.layerPrefix("wcd_", () => Effect.succeed(ada)).pipe(Layer.provide(inside))
    return Effect.gen(function*() {
      const { peek } = yield* Effect.provide(TokenVerifier, wrapped(Known))
      assert.strictEqual(peek?.("other"), ada)
      assert.isUndefined(peek?.("wcd_other"))
      assert.isUndefined((yield* Effect.provide(TokenVerifier, wrapped(Inner))).peek)
    })
  })

  it.effect("returns the cached identity of a verified token of any kind synchronously", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const { publicPem: pem } = yield* issuer.key()
      const jwt = yield* issuer.sign()
      const opaque = yield* issuer.issueOpaque()
      const subjects: ReadonlyArray<readonly [Provider, string]> = [
        [jwtProvider(issuer), jwt],
        [jwtProvider(issuer, { keys: { _tag: "PublicKey", pem } }), jwt],
        [userinfoProvider(issuer), opaque],
        [staticProvider([staticToken("static-token")]), "static-token"]
      ]
      for (const [provider, text] of subjects) {
        const registry = yield* ProviderRegistry.make({ providers: [provider], clockSkewSeconds: skew })
        const { peek, verify: verifyToken } = yield* TokenVerifier.pipe(
          Effect.provide(Layer.provide(TokenVerifier.layer, Layer.succeed(ProviderRegistry, registry)), {
            local: true
          }),
          Effect.provideService(Sha256, sha256)
        )
        assert.isUndefined(peek?.(text))
        const identity = yield* verifyToken(BearerToken.make(text))
        assert.strictEqual(peek?.(text), identity)
        assert.isUndefined(peek?.(`${text}A`))
      }
    })))

  it.effect("layerMapIdentity changes what was verified, with services of the application", () => {
    const Subject = TokenVerifier.layerMapIdentity(Effect.fnUntraced(function*(identity) {
      const users = yield* Users
      yield* Ref.update(users, (known) => [...known, identity.subject])
      return identity.email === "ada@example.com" ? { ...identity, subject: "user-7" } : yield* rejectedBy("users")
    })).pipe(Layer.provide(Inner), Layer.provideMerge(Users.layer))
    return Effect.gen(function*() {
      assert.strictEqual((yield* verify("good")).subject, "user-7")
      assert.deepInclude(yield* Effect.flip(verify("bad")), { provider: "inner" })
      assert.deepStrictEqual(yield* Users.use(Ref.get), ["ada"])
    }).pipe(Effect.provide(Subject))
  })

  it.effect("verifies with a configured public key, regardless of kid", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const { publicPem: pem } = yield* issuer.key()
      const check = yield* verifierOf(jwtProvider(issuer, { keys: { _tag: "PublicKey", pem } }))
      for (const kid of ["RS256-1", "another", undefined]) {
        yield* assertAccepted(check, yield* issuer.sign({ header: { kid } }))
      }
      const attacker = yield* makeSigningKey({ algorithm: "RS256", kid: "RS256-1" })
      yield* assertRejected(check, yield* issuer.sign({ key: attacker }), "InvalidSignature")
      yield* assertRejected(check, yield* issuer.sign({ key: "ES256" }), "UnknownKey")
      assert.deepStrictEqual(yield* issuer.requests(), [])
      const error = yield* Effect.flip(
        verifierOf(jwtProvider(issuer, { keys: { _tag: "PublicKey", pem: "none" } }))
      )
      assert.deepInclude(error, { _tag: "UnusablePublicKey", provider: "main" })
    })))

  it.effect("DISC-02 sends no request about a token of an unknown issuer", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const [known, unknown] = [yield* TestIssuer.make(), yield* TestIssuer.make()]
      const check = yield* verifierOf(jwtProvider(known, { keys: { _tag: "Discovery" } }))
      yield* assertRejected(check, yield* unknown.sign(), "InvalidIssuer")
      assert.deepStrictEqual(yield* unknown.requests(), [])
      yield* assertAccepted(check, yield* known.sign())
    })))

  it.effect("reports an outage while keys are unavailable, and recovers", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const token = yield* issuer.sign()
      yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }))
      const check = yield* verifierOf(jwtProvider(issuer))
      const error = yield* Effect.flip(check(token))
      assert.deepInclude(error, { _tag: "ProviderUnavailable", provider: "main", retryAfter: 10 })
      yield* TestClock.adjust("10 seconds")
      yield* assertAccepted(check, token)
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 2)
    })))

  it.effect("starts while a provider is down, fetches keys at once, and says which providers are ready", () =>
    withProviders(Effect.gen(function*() {
      const [up, down] = [yield* TestIssuer.make(), yield* TestIssuer.make()]
      yield* down.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }), Infinity)
      const registry = yield* ProviderRegistry.make({
        clockSkewSeconds: skew,
        providers: [
          jwtProvider(up, { name: "up" }),
          jwtProvider(down, { name: "down" }),
          userinfoProvider(down),
          staticProvider([])
        ]
      })
      yield* eventually(Effect.map(up.hits("/oauth2/jwks"), (hits) => hits === 1))
      yield* eventually(
        Effect.map(registry.readiness, (all) => all.some(({ provider, ready }) => provider === "up" && ready))
      )
      yield* eventually(
        Effect.map(registry.readiness, (all) => all.some(({ state }) => state === "unavailable"))
      )
      assert.deepStrictEqual(yield* registry.readiness, [
        { provider: "up", ready: true, state: "fresh" },
        { provider: "down", ready: false, state: "unavailable" },
        { provider: "people", ready: true, state: "ready" },
        { provider: "static", ready: true, state: "ready" }
      ])
      // A verification waits for the running fetch; afterwards the failure is cached.
      const token = BearerToken.make(yield* down.sign())
      const { verify: verifyDown } = yield* registry.select(token)
      assert.deepInclude(yield* Effect.flip(verifyDown), { _tag: "ProviderUnavailable", provider: "down" })
      yield* down.behave()
      yield* TestClock.adjust("10 seconds")
      yield* eventually(Effect.map(registry.readiness, (all) => all.every(({ ready }) => ready)))
      assert.strictEqual((yield* verifyDown).identity.provider, "down")
    })))

  it.effect("DISC-06 accepts no algorithm because a discovery document lists it", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make({ algorithms: ["ES256", "ES384"] })
      const document = {
        issuer: issuer.issuer,
        jwks_uri: issuer.jwksUri,
        id_token_signing_alg_values_supported: ["none", "HS256", "ES384"]
      }
      yield* issuer.misbehave(
        "/.well-known/openid-configuration",
        Misbehaviour.Respond({ body: JSON.stringify(document) }),
        Infinity
      )
      const verify = yield* verifierOf(jwtProvider(issuer, { keys: { _tag: "Discovery" }, algorithms: ["ES256"] }))
      const { publicJwk } = yield* issuer.key("ES256")
      yield* assertAccepted(verify, yield* issuer.sign({ key: "ES256" }))
      const forged = [
        issuer.sign({ key: "ES384" }),
        issuer.sign({ key: hmacSigner(JSON.stringify(publicJwk), "ES256-1") })
      ]
      for (const token of forged) yield* assertRejected(verify, yield* token, "UnsupportedAlgorithm")
    })))
})

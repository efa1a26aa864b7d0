import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import { jwsAlgorithms } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { layerProviders } from "../../src/verify/layers.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"

type ProviderInput = NonNullable<GatewayConfigInput["providers"]>[number]

const audience = ["https://mcp.example/mcp"]

/** The product's own verifier, whose providers are reached without a network. */
const Subject = (...providers: ReadonlyArray<ProviderInput>) =>
  TokenVerifier.layer.pipe(
    Layer.provide(layerProviders),
    Layer.provide([KeyValueStore.layerMemory, Digest.layerWebCrypto]),
    Layer.provideMerge(TestIssuer.layerMemory({ algorithms: jwsAlgorithms, keys: "reused" })),
    Layer.provide(GatewayConfig.layer({ server_url: "http://127.0.0.1:1/mcp", providers }))
  )

const Jwt = Subject({
  type: "oidc",
  issuer: "https://issuer.test",
  audience,
  algorithms: [...jwsAlgorithms],
  hosts: ["issuer.test"]
})

const verify = (token: string) => Effect.flatMap(TokenVerifier, ({ verify }) => verify(BearerToken.make(token)))

// Six RSA keys, on a busy machine.
const slowKeysMillis = 60_000

describe("TestIssuer in memory", () => {
  it.effect("serves a JWT provider, discovery included, with every algorithm", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      for (const key of jwsAlgorithms) {
        assert.strictEqual((yield* verify(yield* issuer.sign({ key }))).subject, "user-1", key)
      }
      const { publicJwk: { kid } } = yield* issuer.key("ES256")
      const [header, payload] = (yield* issuer.sign({ key: "ES256", header: { kid } })).split(".")
      const forged = yield* Effect.flip(verify(`${header}.${payload}.${"A".repeat(86)}`))
      assert.deepInclude(forged, { _tag: "InvalidToken", reason: "InvalidSignature" })
      assert.strictEqual(yield* issuer.hits("/.well-known/openid-configuration"), 1)
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 1)
    }).pipe(Effect.provide(Jwt)), slowKeysMillis)

  it.effect("serves a userinfo and an introspection provider", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const person = yield* issuer.issueOpaque({ prefix: "mat_", email: "u@example.com" })
      assert.deepInclude(yield* verify(person), { provider: "people", email: "u@example.com" })
      const machine = yield* issuer.issueOpaque({ scopes: ["a"] })
      assert.deepInclude(yield* verify(machine), { provider: "opaque", scopes: ["a"] })
      for (const token of ["mat_unknown", "unknown"]) {
        assert.strictEqual((yield* Effect.flip(verify(token)))._tag, "InvalidToken", token)
      }
    }).pipe(Effect.provide(Subject(
      { type: "userinfo", name: "people", issuer: "https://issuer.test", token_prefix: "mat_" },
      {
        type: "introspection",
        name: "opaque",
        issuer: "https://issuer.test",
        audience,
        introspection_endpoint: "https://issuer.test/oauth2/introspection",
        client_id: "test-client",
        client_secret: "test-secret"
      }
    ))))

  it.effect("is down, is slow and rotates its keys by the TestClock", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const path = "/.well-known/openid-configuration"
      yield* issuer.misbehave(path, Misbehaviour.Disconnect({ after: "Request" }))
      const token = yield* issuer.sign()
      assert.strictEqual((yield* Effect.flip(verify(token)))._tag, "ProviderUnavailable")
      yield* TestClock.adjust("10 seconds")
      yield* issuer.misbehave(path, Misbehaviour.Respond({ delay: "4 seconds" }))
      const slow = yield* Effect.forkChild(verify(token))
      yield* issuer.awaitHits(path, 2)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* Fiber.join(slow)).subject, "user-1")
      yield* TestClock.adjust("30 seconds")
      yield* issuer.rotate()
      assert.strictEqual((yield* verify(yield* issuer.sign())).subject, "user-1")
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 2)
    }).pipe(Effect.provide(Jwt)))

  it.effect("responds at its own origin only", () =>
    Effect.gen(function*() {
      const { client, issuer } = yield* TestIssuer.makeMemory({
        origin: "https://elsewhere.test:8443",
        path: "/tenant"
      })
      assert.strictEqual(issuer.issuer, "https://elsewhere.test:8443/tenant")
      assert.strictEqual((yield* client.get(issuer.jwksUri)).status, 200)
      for (const other of ["http://elsewhere.test:8443", "https://elsewhere.test", "https://x.elsewhere.test:8443"]) {
        const error = yield* Effect.flip(client.get(`${other}/tenant/oauth2/jwks`))
        assert.strictEqual(error.reason._tag, "TransportError", other)
      }
      assert.strictEqual(yield* issuer.hits("/tenant/oauth2/jwks"), 1)
    }))

  it.effect("lets redirects be followed, unless the client is told not to", () =>
    Effect.gen(function*() {
      const { jwks, jwksUri, misbehave } = yield* TestIssuer
      const client = yield* HttpClient.HttpClient
      yield* misbehave("/oauth2/jwks", Misbehaviour.Redirect({ location: "/jwks" }), 2)
      yield* misbehave("/oauth2/jwks", Misbehaviour.Redirect({ location: "https://internal.test/" }))
      assert.deepStrictEqual<unknown>(yield* (yield* client.get(jwksUri)).json, yield* jwks)
      const manual = Effect.provideService(client.get(jwksUri), FetchHttpClient.RequestInit, { redirect: "manual" })
      assert.strictEqual((yield* manual).status, 302)
      assert.strictEqual((yield* Effect.flip(client.get(jwksUri))).reason._tag, "TransportError")
    }).pipe(Effect.provide(TestIssuer.layerMemory())))

  it.effect("rejects, like a transport, what cannot be sent", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const client = yield* HttpClient.HttpClient
      const injected = yield* Effect.flip(client.get(issuer.jwksUri, { headers: { a: "b\r\nc: d" } }))
      assert.strictEqual(injected.reason._tag, "TransportError")
      yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 700 }))
      const status = yield* Effect.flip(client.get(issuer.jwksUri))
      assert.strictEqual(status.reason._tag, "TransportError")
      assert.strictEqual((yield* client.get(issuer.jwksUri, { headers: { a: "b" } })).status, 200)
    }).pipe(Effect.provide(TestIssuer.layerMemory())))
})

describe("TestIssuer with reused keys", () => {
  const options = { keys: "reused", algorithms: ["ES384"] } as const
  const pems = Effect.forEach(
    [1, 2],
    () =>
      Effect.flatMap(TestIssuer.makeMemory(options), ({ issuer }) => Effect.map(issuer.key(), (key) => key.publicPem))
  )

  it.effect("gives a key to one open issuer at a time, under its own name", () =>
    Effect.gen(function*() {
      const together = yield* Effect.scoped(pems)
      assert.lengthOf(new Set(together), 2)
      assert.sameMembers(yield* Effect.scoped(pems), together)
      const { issuer } = yield* TestIssuer.makeMemory(options)
      const rotated = [yield* issuer.rotate(), yield* issuer.rotate(), yield* issuer.rotate()]
      assert.lengthOf(new Set(rotated.map(({ publicPem }) => publicPem)), 3)
      assert.deepStrictEqual(rotated.map(({ publicJwk }) => publicJwk.kid), ["ES384-1", "ES384-2", "ES384-3"])
    }))
})

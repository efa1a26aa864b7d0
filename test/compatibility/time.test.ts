/** What the documents promise about the passing of time, with the documents' variables and a clock that tests set. */
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { layerProviders } from "../../src/verify/layers.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import type { Variables } from "./predecessor.ts"

/** Verifies like a gateway with these variables: returns the subject, or the reason of a rejection. */
const verifierOf = (variables: Variables) =>
  Effect.map(
    Layer.build(TokenVerifier.layer.pipe(
      Layer.provide(layerProviders),
      Layer.provide([GatewayConfig.layerVariables(variables), FetchHttpClient.layer]),
      Layer.provide([KeyValueStore.layerMemory, Digest.layerWebCrypto])
    )),
    (context) => (token: string) =>
      TokenVerifier.use(({ verify }) => verify(BearerToken.make(token))).pipe(
        Effect.provideContext(context),
        Effect.match({
          onSuccess: ({ subject }) => subject,
          onFailure: (error) => error._tag === "InvalidToken" ? error.reason : error._tag
        })
      )
  )

const dialects: ReadonlyArray<readonly [string, (issuer: string) => Variables]> = [
  [
    "AuthKit Example \"JWKS endpoints are cached for 5 minutes\"",
    (issuer) => ({ SPIN_VARIABLE_AUTHKIT_DOMAIN: issuer })
  ],
  [
    "FTL MCP Authorizer \"Automatic Expiration: Cached JWKS expires after 5 minutes\"",
    (issuer) => ({ auth_provider_type: "authkit", auth_provider_issuer: issuer })
  ],
  [
    "FTL Auth Gateway \"5-minute JWKS caching for optimal performance\"",
    (issuer) => ({ authkit_issuer: issuer })
  ]
]

describe("what predecessors promise about time", () => {
  for (const [title, variables] of dialects) {
    it.effect(title, () =>
      Effect.gen(function*() {
        const authKit = yield* TestIssuer.make({ expiresIn: "1 hour" })
        const token = yield* authKit.sign()
        const verify = yield* verifierOf(variables(authKit.issuer))
        const hits = authKit.hits("/oauth2/jwks")
        assert.strictEqual(yield* verify(token), "user-1")
        // In the last ten seconds they may be fetched ahead of time.
        yield* TestClock.adjust("289 seconds")
        assert.strictEqual(yield* verify(token), "user-1")
        assert.strictEqual(yield* hits, 1)
        yield* TestClock.adjust("11 seconds")
        assert.strictEqual(yield* verify(token), "user-1")
        assert.strictEqual(yield* hits, 2)
      }))
  }

  it.effect("wasmcp-spin-authkit \"Regularly rotate signing keys\": a withdrawn key is believed for 5 minutes at most", () =>
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make({ expiresIn: "1 hour" })
      const { kid } = yield* authKit.key()
      const old = yield* authKit.sign()
      const verify = yield* verifierOf({ authkit_issuer: authKit.issuer, authkit_jwks_uri: authKit.jwksUri })
      assert.strictEqual(yield* verify(old), "user-1")
      yield* authKit.rotate()
      yield* authKit.removeKey(kid)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* verify(old), "UnknownKey")
      assert.strictEqual(yield* verify(yield* authKit.sign()), "user-1")
    }))

  it.effect("AuthKit Example \"Token expiration is always enforced\": when it comes, not when the token is first seen", () =>
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make({ expiresIn: "2 minutes" })
      const token = yield* authKit.sign()
      const verify = yield* verifierOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: authKit.issuer })
      yield* TestClock.adjust("179 seconds") // within the 60 seconds of tolerance
      assert.strictEqual(yield* verify(token), "user-1")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* verify(token), "Expired")
    }))

  it.effect("Integration Guide \"Cache /oauth/userinfo responses for 5 minutes\", and \"Token works then stops\" after the hour", () =>
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make({ expiresIn: "1 hour" })
      const token = yield* authKit.issueOpaque({ prefix: "mat_" })
      const verify = yield* verifierOf({
        MCP_PROVIDER_TYPE: "userinfo",
        MCP_JWT_ISSUER: authKit.issuer,
        MCP_TOKEN_PREFIX: "mat_"
      })
      const hits = authKit.hits("/oauth/userinfo")
      assert.strictEqual(yield* verify(token), "user-1")
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual(yield* verify(token), "user-1")
      assert.strictEqual(yield* hits, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* verify(token), "user-1")
      assert.strictEqual(yield* hits, 2)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* verify(token), "Inactive")
    }))
})

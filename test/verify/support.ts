/** What tests of keys and verifiers share: layers, and the two outcomes to assert. */
import { assert } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Scope from "effect/Scope"
import type { GatewaySettings, Provider } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import type { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"

/** A day in 2027, in seconds: far enough from 1970 for times before and after. */
export const start = 1_800_000_000

export const skew = 60

export const ProviderLayer = JwksCache.layer.pipe(
  Layer.provideMerge(ProviderMetadata.layer),
  Layer.provideMerge(ProviderHttp.layer),
  Layer.provide(KeyValueStore.layerMemory),
  Layer.provideMerge(CircuitBreaker.layerStoreMemory()),
  Layer.provideMerge(Digest.layerWebCrypto),
  Layer.provide(FetchHttpClient.layer)
)

export type Verify = (token: string) => ReturnType<TokenVerifier["Service"]["verify"]>

/** The verifier over its own registry, on the key cache of the environment. */
export const verifierOf = Effect.fnUntraced(function*(
  ...providers: ReadonlyArray<Provider>
): Effect.fn.Return<
  Verify,
  Effect.Error<ReturnType<typeof ProviderRegistry.make>>,
  Effect.Services<ReturnType<typeof ProviderRegistry.make>>
> {
  const settings: Pick<GatewaySettings, "providers" | "clockSkewSeconds"> = { providers, clockSkewSeconds: skew }
  const registry = yield* ProviderRegistry.make(settings)
  const { verify } = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, registry)
  return (token) => verify(BearerToken.make(token))
})

/** Asserts that the token is rejected for this reason, and that the error does not show it. */
export const assertRejected = Effect.fnUntraced(function*(verify: Verify, token: string, reason: InvalidTokenReason) {
  const error = yield* Effect.flip(verify(token))
  assert.strictEqual(error._tag, "InvalidToken", JSON.stringify(error))
  if (error._tag === "InvalidToken") assert.strictEqual(error.reason, reason, error.detail)
  const secret = token.split(".").at(-1) ?? token
  if (secret.length > 16) assert.notInclude(JSON.stringify(error), secret)
})

export const assertAccepted = (verify: Verify, token: string) => Effect.asVoid(verify(token))

/** Builds a layer that a test uses up, key cache included, so that tests do not share fetches. */
export const withProviders = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Layer.Success<typeof ProviderLayer>> | Scope.Scope> =>
  Effect.flatMap(Layer.build(Layer.fresh(ProviderLayer)), (context) => Effect.provideContext(effect, context))

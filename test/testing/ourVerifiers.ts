/** Our own verifiers, as layers that a suite provides with an issuer. */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { Provider } from "../../src/config/GatewaySettings.ts"
import type { Issuer } from "../../src/issuer/Issuer.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import { sha256 } from "../../src/node/sha256.ts"
import { verifyAtOnce } from "../../src/node/signature.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { VerifyAtOnce } from "../../src/verify/jwt/signature.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { Sha256 } from "../../src/verify/tokenDigest.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { skew } from "../verify/support.ts"

/** Our verifier with providers that are made for the issuer. */
export const gatewayVerifier = (providersOf: (issuer: Issuer) => ReadonlyArray<Provider>) =>
  TokenVerifier.layer.pipe(
    Layer.provide(
      Layer.effect(
        ProviderRegistry,
        Effect.flatMap(TestIssuer, (issuer) =>
          ProviderRegistry.make({ providers: providersOf(issuer), clockSkewSeconds: skew }))
      )
    ),
    Layer.provide(JwksCache.layer),
    Layer.provide(ProviderMetadata.layer),
    Layer.provide(ProviderHttp.layer),
    Layer.provide([KeyValueStore.layerMemory, CircuitBreaker.layerStoreMemory(), Digest.layerWebCrypto])
  )

/** As in Node: tokens are looked up and verified synchronously. */
export const asInNode = Layer.provide([Layer.succeed(Sha256, sha256), Layer.succeed(VerifyAtOnce, verifyAtOnce)])

/** The same with one JWT provider. */
export const jwtVerifier = (changes: Partial<JwtProvider>) =>
  gatewayVerifier((issuer) => [jwtProvider(issuer, changes)])

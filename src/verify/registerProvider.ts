import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GatewaySettings, JwtProvider, KeySource, Provider } from "../config/GatewaySettings.ts"
import { JwksCache, type JwksSource, UnknownKey } from "../keys/JwksCache.ts"
import * as KeySet from "../keys/KeySet.ts"
import { ProviderHttp } from "../keys/ProviderHttp.ts"
import { fromPem, type UnusablePublicKey } from "../keys/publicKey.ts"
import { makeJwtVerifier, type ProviderKeys } from "./jwt/JwtVerifier.ts"
import { makeJudgeSignature } from "./jwt/signature.ts"
import { makeGuardedHttp } from "./opaque/guardedHttp.ts"
import { makeIntrospectionVerifier } from "./opaque/introspection.ts"
import { introspectionProbe, userinfoProbe } from "./opaque/probes.ts"
import { makeReachability } from "./opaque/Reachability.ts"
import { makeUserinfoVerifier } from "./opaque/userinfo.ts"
import { makeVerifyOpaque } from "./opaque/VerifyOpaque.ts"
import type { RegisteredProvider } from "./selectProvider.ts"

/** Where a provider publishes its keys. */
const jwksSource = (
  { allowHttp, allowedDomains, issuer }: JwtProvider,
  keys: Exclude<KeySource, { readonly _tag: "PublicKey" }>
): JwksSource =>
  keys._tag === "Jwks"
    ? { _tag: "Jwks", uri: keys.uri, allowedDomains, allowHttp }
    : { _tag: "Discovery", issuer, allowedDomains, allowHttp }

/** The key sets that the gateway must fetch before it can verify, with the name of their provider. */
export const remoteKeys = (
  providers: ReadonlyArray<Provider>
): ReadonlyArray<{ readonly provider: string; readonly source: JwksSource }> =>
  providers.flatMap((provider) =>
    "keys" in provider && provider.keys._tag !== "PublicKey"
      ? [{ provider: provider.name, source: jwksSource(provider, provider.keys) }]
      : []
  )

const publicKey = Effect.fnUntraced(function*(
  provider: JwtProvider,
  pem: string
): Effect.fn.Return<ProviderKeys, UnusablePublicKey> {
  const set = yield* fromPem(provider.name, pem, provider.algorithms)
  // There is one key, whatever `kid` says.
  return {
    find: ({ alg }) =>
      Effect.mapError(
        KeySet.find(set, { alg, kid: undefined }),
        () => new UnknownKey({ detail: "the public key does not fit" })
      ),
    known: ({ alg }) => KeySet.known(set, { alg, kid: undefined })
  }
})

const makeProviderKeys = Effect.fnUntraced(function*(
  provider: JwtProvider
): Effect.fn.Return<ProviderKeys, UnusablePublicKey, JwksCache> {
  if (provider.keys._tag === "PublicKey") return yield* publicKey(provider, provider.keys.pem)
  const cache = yield* JwksCache
  const source = jwksSource(provider, provider.keys)
  return {
    find: (header) => cache.keyFor(source, header),
    known: (header) => cache.known?.(source, header)
  }
})

/** What the verifiers of all types need; the scope is that of the providers. */
export type RegistrationNeeds =
  | JwksCache
  | ProviderHttp
  | Scope.Scope

/**
 * Makes the verifier of one configured provider.
 *
 * Fails with `UnusablePublicKey` if the configured public key is none; nothing is fetched.
 */
export const registerProvider = Effect.fnUntraced(function*(
  provider: Provider,
  { clockSkewSeconds }: Pick<GatewaySettings, "clockSkewSeconds">
): Effect.fn.Return<RegisteredProvider, UnusablePublicKey, RegistrationNeeds> {
  const { name, tokenPrefix } = provider
  switch (provider.type) {
    case "authkit":
    case "oidc": {
      const { issuer } = provider
      const verify = makeJwtVerifier(
        provider,
        clockSkewSeconds,
        yield* makeProviderKeys(provider),
        yield* makeJudgeSignature,
        yield* Clock.Clock
      )
      return { _tag: "Jwt", name, tokenPrefix, issuer, verify }
    }
    case "userinfo": {
      const plain = yield* ProviderHttp
      const { current, observed } = yield* makeReachability(name, plain, userinfoProbe(provider, plain))
      const ask = makeUserinfoVerifier(provider, makeGuardedHttp(observed))
      return {
        _tag: "Opaque",
        name,
        tokenPrefix,
        reach: current,
        verify: makeVerifyOpaque(name, clockSkewSeconds, ask)
      }
    }
    case "introspection": {
      const plain = yield* ProviderHttp
      const { current, observed } = yield* makeReachability(name, plain, introspectionProbe(provider, plain))
      const ask = makeIntrospectionVerifier(provider, clockSkewSeconds, makeGuardedHttp(observed))
      return {
        _tag: "Opaque",
        name,
        tokenPrefix,
        reach: current,
        verify: makeVerifyOpaque(name, clockSkewSeconds, ask)
      }
    }
    case "static":
      return { _tag: "Static", name, tokenPrefix }
  }
})

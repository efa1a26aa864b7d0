import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GatewaySettings, JwtProvider, Provider } from "../config/GatewaySettings.ts"
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { JwksCache, type JwksSource, UnknownKey } from "../keys/JwksCache.ts"
import * as KeySet from "../keys/KeySet.ts"
import type { KeyHeader } from "../keys/KeySet.ts"
import { fromPem, type UnusablePublicKey } from "../keys/publicKey.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { makeJwtVerifier, type ProviderKeys } from "./jwt/JwtVerifier.ts"
import { makeJudgeSignature } from "./jwt/signature.ts"
import { makeGuardedHttp } from "./opaque/guardedHttp.ts"
import { makeIntrospectionVerifier } from "./opaque/introspection.ts"
import { introspectionProbe, userinfoProbe } from "./opaque/probes.ts"
import { introspectionHttp, userinfoHttp } from "./opaque/providerHttp.ts"
import { makeReachability, type Probe } from "./opaque/Reachability.ts"
import { makeUserinfoVerifier } from "./opaque/userinfo.ts"
import { type AskProvider, makeVerifyOpaque } from "./opaque/VerifyOpaque.ts"
import type { RegisteredOpaqueProvider, RegisteredProvider } from "./selectProvider.ts"

/** A key set, and the issuers whose tokens it is for. */
interface KeyPlace {
  readonly issuers: ReadonlyArray<string>
  readonly source: JwksSource
}

/**
 * Where a provider publishes its keys: in one place, or for each tenant where its own metadata say, so that the keys of one
 * tenant are never those of another.
 */
const keyPlaces = (provider: JwtProvider): ReadonlyArray<KeyPlace> => {
  const { allowHttp, allowedDomains, discoveryUrl, issuer, keys, tenants } = provider
  const reach = { allowedDomains, allowHttp }
  switch (keys._tag) {
    case "PublicKey":
      return []
    case "Jwks":
      return [{ issuers: issuersOf(provider), source: { _tag: "Jwks", uri: keys.uri, ...reach } }]
    case "Discovery":
      return tenants === undefined || discoveryUrl !== undefined
        ? [{ issuers: issuersOf(provider), source: { _tag: "Discovery", issuer, tenants, discoveryUrl, ...reach } }]
        : issuersOf(provider).map((issuer) => ({ issuers: [issuer], source: { _tag: "Discovery", issuer, ...reach } }))
  }
}

/** Of many tenants so many are asked for their keys before a token needs them. */
const fetchedAhead = 8

/** The key sets that the gateway must fetch before it can verify, with the name of their provider. */
export const remoteKeys = (
  providers: ReadonlyArray<Provider>
): ReadonlyArray<{ readonly provider: string; readonly source: JwksSource }> =>
  providers.flatMap((provider) =>
    "keys" in provider
      ? keyPlaces(provider).slice(0, fetchedAhead).map(({ source }) => ({ provider: provider.name, source }))
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
  const places = keyPlaces(provider)
  const [only, second] = places
  const byIssuer = new Map(
    places.flatMap(({ issuers, source }) => issuers.map((issuer) => [withoutSlash(issuer), source] as const))
  )
  /** `undefined` for an issuer that is not configured, which no token has that comes so far. */
  const sourceFor = ({ issuer }: KeyHeader): JwksSource | undefined =>
    only !== undefined && second === undefined
      ? only.source
      : issuer === undefined
      ? undefined
      : byIssuer.get(withoutSlash(issuer))
  return {
    find: (header) => {
      const source = sourceFor(header)
      return source === undefined
        ? Effect.fail(new UnknownKey({ detail: "the issuer has no keys" }))
        : cache.keyFor(source, header)
    },
    known: (header) => {
      const source = sourceFor(header)
      return source === undefined ? undefined : cache.known?.(source, header)
    }
  }
})

/** What the verifiers of all types need; the scope is that of the providers. */
export type RegistrationNeeds =
  | JwksCache
  | ProviderHttp
  | ProviderMetadata
  | Scope.Scope

type Http = ProviderHttp["Service"]

/** A provider that is asked about each token: guarded, and watched for whether it can be asked. */
const registerOpaque = Effect.fnUntraced(function*(
  { name, tokenPrefix }: Pick<Provider, "name" | "tokenPrefix">,
  clockSkewSeconds: number,
  http: Http,
  probe: Probe,
  makeAsk: (guarded: Http) => AskProvider
): Effect.fn.Return<RegisteredOpaqueProvider> {
  const { current, observed } = yield* makeReachability(name, http, probe)
  const verify = makeVerifyOpaque(name, clockSkewSeconds, makeAsk(makeGuardedHttp(observed, yield* SharedIo)))
  return { _tag: "Opaque", name, tokenPrefix, reach: current, verify }
})

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
      const verify = makeJwtVerifier(
        provider,
        clockSkewSeconds,
        yield* makeProviderKeys(provider),
        yield* makeJudgeSignature,
        yield* Clock.Clock
      )
      return { _tag: "Jwt", name, tokenPrefix, issuers: issuersOf(provider), verify }
    }
    case "userinfo": {
      const http = yield* userinfoHttp(provider)
      const ask = (guarded: Http) => makeUserinfoVerifier(provider, guarded)
      return yield* registerOpaque(provider, clockSkewSeconds, http, userinfoProbe(provider, http), ask)
    }
    case "introspection": {
      const http = yield* introspectionHttp(provider)
      const ask = (guarded: Http) => makeIntrospectionVerifier(provider, clockSkewSeconds, guarded)
      return yield* registerOpaque(provider, clockSkewSeconds, http, introspectionProbe(provider, http), ask)
    }
    case "static":
      return { _tag: "Static", name, tokenPrefix }
  }
})

/** The keys of a provider of JWTs. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { issuersOf } from "../config/kinds/issuerTemplate.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import { JwksCache, type JwksSource, UnknownKey } from "../keys/JwksCache.ts"
import { placeOf } from "../keys/JwksSource.ts"
import { inTime, makeKeyFetch, presentKeys } from "../keys/keyFetch.ts"
import * as KeySet from "../keys/KeySet.ts"
import type { KeyHeader } from "../keys/KeySet.ts"
import { fromPem, type UnusablePublicKey } from "../keys/publicKey.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { InspectedKeys } from "../verify/jwt/inspectJwt.ts"
import type { ProviderKeys } from "../verify/jwt/JwtVerifier.ts"
import type { JwtProvider } from "./jwt.ts"

/** A key set, and the issuers whose tokens it verifies. */
interface KeyPlace {
  readonly issuers: ReadonlyArray<string>
  readonly source: JwksSource
}

/**
 * Returns where a provider publishes its keys: one key set for all tenants, or one for each. Each tenant's key set is
 * found through its own metadata, so that the keys of one tenant never verify the tokens of another.
 */
const keyPlaces = (provider: JwtProvider): ReadonlyArray<KeyPlace> => {
  const { allowHttp, allowedDomains, discoveryUrl, issuer, keys, name, tenants } = provider
  const reach = { allowedDomains, allowHttp, provider: name }
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

/** The number of tenants whose key sets are fetched before a token needs them. */
const fetchedAhead = 8

/** The key sets that the gateway must fetch before it can verify tokens. */
export const remoteKeys = (provider: JwtProvider): ReadonlyArray<JwksSource> =>
  keyPlaces(provider).slice(0, fetchedAhead).map(({ source }) => source)

const publicKey = Effect.fnUntraced(function*(
  provider: JwtProvider,
  pem: string
): Effect.fn.Return<ProviderKeys, UnusablePublicKey> {
  const set = yield* fromPem(provider.name, pem, provider.algorithms)
  // A configured key is the only one, so `kid` is ignored.
  return {
    find: ({ alg }) =>
      Effect.mapError(
        KeySet.find(set, { alg, kid: undefined }),
        () => new UnknownKey({ detail: "the public key does not fit" })
      ),
    peek: ({ alg }) => KeySet.peek(set, { alg, kid: undefined }),
    inspect: () =>
      Effect.succeed({ place: "the settings", published: Result.succeed("(MCP_JWT_PUBLIC_KEY) there is one key") })
  }
})

/** Builds the function that fetches the keys once more, to show an operator what the provider publishes now. */
const makeInspect = Effect.gen(function*() {
  const cache = yield* JwksCache
  const { fetchKeys, locate } = yield* makeKeyFetch
  return Effect.fnUntraced(function*(source: JwksSource, header: KeyHeader): Effect.fn.Return<InspectedKeys> {
    const { phase } = yield* cache.phase(source)
    const fetched = yield* Effect.result(inTime(Effect.gen(function*() {
      const uri = yield* locate(source)
      return { uri, ...(yield* fetchKeys(source, uri)) }
    })))
    if (Result.isFailure(fetched)) {
      return { place: placeOf(source), phase, published: Result.fail(fetched.failure.detail) }
    }
    const { clockDifference, keys, uri } = fetched.success
    const set = KeySet.fromJwks(keys)
    const hasKey = Result.isSuccess(yield* Effect.result(KeySet.find(set, header)))
    return { place: uri, phase, clockDifference, hasKey, published: Result.succeed(presentKeys(set)) }
  })
})

/** Builds the keys of a provider. Fails with `UnusablePublicKey` if the configured public key cannot be used. */
export const makeProviderKeys = Effect.fnUntraced(function*(
  provider: JwtProvider
): Effect.fn.Return<ProviderKeys, UnusablePublicKey, JwksCache | ProviderHttp | ProviderMetadata> {
  if (provider.keys._tag === "PublicKey") return yield* publicKey(provider, provider.keys.pem)
  const cache = yield* JwksCache
  const inspect = yield* makeInspect
  const places = keyPlaces(provider)
  for (const { source } of places) cache.keep?.(source)
  const [only, second] = places
  const byIssuer = new Map(
    places.flatMap(({ issuers, source }) => issuers.map((issuer) => [withoutSlash(issuer), source] as const))
  )
  /** Returns `undefined` for an issuer that is not configured, whose tokens are rejected earlier. */
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
    peek: (header) => {
      const source = sourceFor(header)
      return source === undefined ? undefined : cache.peek?.(source, header)
    },
    shared: (header, key) => {
      const source = sourceFor(header)
      return source === undefined ? undefined : cache.shared?.(source, header, key)
    },
    inspect: (header) => {
      const source = sourceFor(header)
      return source === undefined
        ? Effect.succeed({ place: provider.issuer, published: Result.fail("the issuer has no keys") })
        : inspect(source, header)
    }
  }
})

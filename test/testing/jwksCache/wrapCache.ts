/** Our key cache with something between it and its services. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { JwksCache, type JwksSource } from "../../../src/keys/JwksCache.ts"
import { ProviderHttp, type ProviderRequest, type ProviderResponse } from "../../../src/remote/ProviderHttp.ts"
import type { CacheServices } from "../../../src/testing/jwksCache/CacheFixture.ts"

type Cache = JwksCache["Service"]
type Http = ProviderHttp["Service"]
type Store = KeyValueStore.KeyValueStore

/** A cache, what it violates, and what it does. */
export type Defect = readonly [
  title: string,
  violates: ReadonlyArray<string>,
  cache: Layer.Layer<JwksCache, never, CacheServices>
]

/** The path of the fixture's key set; other questions are for metadata. */
export const isForKeys = ({ url }: ProviderRequest): boolean => new URL(url).pathname === "/keys"

/** Changes the requests to a provider. */
export const onSend = (change: (http: Http) => Http["send"]): Defect[2] =>
  JwksCache.layer.pipe(
    Layer.provide(Layer.effect(ProviderHttp, Effect.map(ProviderHttp, (http) => ({ send: change(http) }))))
  )

/** Replaces the provider's response by another. */
export const onResponse = (change: (response: ProviderResponse) => ProviderResponse): Defect[2] =>
  onSend((http) => (request) => isForKeys(request) ? Effect.map(http.send(request), change) : http.send(request))

/** Has another client. */
export const onClient = (change: (client: HttpClient.HttpClient) => HttpClient.HttpClient): Defect[2] =>
  JwksCache.layer.pipe(
    Layer.provide(
      ProviderHttp.layer.pipe(
        Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, change)))
      )
    )
  )

/** Has another store. */
export const onStore = (change: (store: Store) => Store): Defect[2] =>
  JwksCache.layer.pipe(
    Layer.provide(Layer.effect(KeyValueStore.KeyValueStore, Effect.map(KeyValueStore.KeyValueStore, change)))
  )

/** Returns another result than our cache does. */
export const onCache = (
  change: (
    inner: Cache,
    services: { readonly http: Http; readonly store: Store }
  ) => Partial<Cache>
): Defect[2] =>
  Layer.effect(
    JwksCache,
    Effect.gen(function*() {
      const inner = yield* JwksCache.make
      const http = yield* ProviderHttp
      const store = yield* KeyValueStore.KeyValueStore
      return JwksCache.of({ ...inner, ...change(inner, { http, store }) })
    })
  )

/** A store that keeps nothing. */
export const forgetful = (store: Store): Store => ({ ...store, get: () => Effect.undefined })

/** The same source under a name that is new to the cache, so that nothing is cached for it. */
export const renamed = (source: JwksSource, count: number): JwksSource => ({
  ...source,
  allowedDomains: ["issuer.example", `${count}.example`]
})

export type { Cache }

/**
 * Stand-ins for real providers: their documents and endpoints under their own URLs, and tokens with the same claims as
 * theirs, without a network.
 */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"

/** A response: a JSON document, or what a request gets. */
export type Reply = Readonly<Record<string, unknown>> | ((request: Request) => Response | Promise<Response>)

/** The provider's responses by their URLs; `jwks` is the key set with its public keys. */
export type Places = (jwks: { readonly keys: ReadonlyArray<object> }) => Readonly<Record<string, Reply>>

/** The metadata of an authorization server, with the members that every one has. */
export const metadataOf = (issuer: string, jwksUri: string, more: Readonly<Record<string, unknown>> = {}) => ({
  issuer,
  authorization_endpoint: `${issuer.replace(/\/$/, "")}/authorize`,
  token_endpoint: `${issuer.replace(/\/$/, "")}/token`,
  jwks_uri: jwksUri,
  response_types_supported: ["code"],
  ...more
})

const clientOf = (places: Readonly<Record<string, Reply>>, received: Array<string>): HttpClient.HttpClient =>
  HttpClient.make((request, url) => {
    received.push(url.href)
    const response = places[url.href]
    if (response === undefined) {
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ error: "not_found" }, { status: 404 })))
    }
    if (typeof response !== "function") {
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(response)))
    }
    return Effect.flatMap(
      HttpClientRequest.toWeb(request),
      (web) => Effect.promise(async () => HttpClientResponse.fromWeb(request, await response(web)))
    ).pipe(
      Effect.mapError((cause) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({ request, description: "no such request", cause })
        })
      )
    )
  })

/** A provider that exists only in this process, and the gateway's verifier in front of it. */
export const makeStandIn = Effect.fnUntraced(function*(settings: GatewaySettings, places: Places) {
  // Its keys and signatures are real; `places` has the URLs of the keys.
  const { issuer } = yield* TestIssuer.makeMemory({ keys: "reused" })
  const received: Array<string> = []
  const http = clientOf(places(yield* issuer.jwks), received)
  const context = yield* Layer.build(
    JwksCache.layer.pipe(
      Layer.provideMerge(ProviderMetadata.layer),
      Layer.provideMerge(ProviderHttp.layer),
      Layer.provide(KeyValueStore.layerMemory),
      Layer.provideMerge(Digest.layerWebCrypto),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
    )
  )
  const registry = yield* Effect.provideContext(ProviderRegistry.make(settings), context)
  const { verify } = yield* makeVerifiedTokens().pipe(
    Effect.provideService(ProviderRegistry, registry),
    Effect.provideContext(context)
  )
  return {
    received,
    /** Signs exactly these claims, with times around now. */
    sign: (claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>> = {}) =>
      issuer.sign({ claims: { aud: undefined, sub: undefined, iss: undefined, ...claims }, header }),
    verify: (token: string) => verify(BearerToken.make(token))
  }
})

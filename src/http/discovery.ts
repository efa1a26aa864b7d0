import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { authorizationServer } from "../discovery/authorizationServer.ts"
import { protectedResource } from "../discovery/protectedResource.ts"
import { DiscoveryNotSupported, NotFound, ProviderUnavailable } from "../errors/GatewayError.ts"
import { ClientMetadata } from "../facade/ClientMetadata.ts"
import { metadataUrl } from "../remote/issuerUrl.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { shownMetadata } from "../remote/shownMetadata.ts"
import type { Upstream } from "../upstream/makeUpstream.ts"
import { jsonResponse } from "./jsonResponse.ts"

/** The discovery documents by their well-known names. */
export type MetadataName = "oauth-protected-resource" | DocumentName

/** The names of `MetadataName`, and the document with the keys that verify the gateway's own tokens. */
export type PublishedName = MetadataName | "jwks"

const cached = { "cache-control": "public, max-age=3600" }

const notCached = { "cache-control": "no-store" }

const redirect = (location: string, headers: Readonly<Record<string, string>>) =>
  HttpServerResponse.empty({ status: 308, headers: { ...headers, location } })

/**
 * How long verifiers may cache the keys. After this time all of them have an added key; most fetch the keys again as
 * soon as they meet an unknown one.
 */
const cachedKeys = { "cache-control": "public, max-age=300" }

/** The response to a request for the keys that verify the gateway's own tokens (RFC 7517, section 5). */
export const publishedKeys = (
  keySet: Upstream["keySet"]
): Effect.Effect<HttpServerResponse.HttpServerResponse, NotFound> =>
  keySet === undefined ? Effect.fail(new NotFound()) : Effect.succeed(jsonResponse(200, keySet, cachedKeys))

/** Builds the responses to requests for discovery documents; all of them are public. */
export const makeDiscovery = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const metadata = yield* ProviderMetadata
  const { isSupported } = yield* ClientMetadata

  /** RFC 9728, section 3.2. */
  const protectedResourceResponse = (publicUrl: string): HttpServerResponse.HttpServerResponse =>
    jsonResponse(200, protectedResource(settings, publicUrl), {
      ...cached,
      // Without a configured public URL the document depends on these fields, so caches must store it for each value.
      ...(settings.publicUrl === undefined ? { vary: "X-Forwarded-Host, X-Original-Host, X-Forwarded-Proto" } : {})
    })

  /** RFC 8414, section 3.2; OpenID Connect Discovery 1.0, section 4.2. */
  const authorizationServerResponse = (
    name: DocumentName
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, DiscoveryNotSupported | ProviderUnavailable> => {
    const found = authorizationServer(settings, name, isSupported)
    switch (found._tag) {
      case "Document":
        return Effect.succeed(jsonResponse(200, found.document, cached))
      case "Fetch":
        return metadata.document(found.source).pipe(
          Effect.mapError(({ detail }) => detail),
          Effect.flatMap((document) => {
            const detail = found.unusable?.(document)
            return detail === undefined
              ? Effect.succeed(found.present?.(document) ?? shownMetadata(document, found.issuer, found.assumePkce))
              : Effect.fail(detail)
          }),
          Effect.map((document) => jsonResponse(200, document, cached)),
          Effect.mapError((detail) =>
            new ProviderUnavailable({ provider: found.provider, detail, retryAfter: retryAfterSeconds })
          )
        )
      case "Redirect":
        return metadata.location(found.source, name).pipe(
          Effect.map((location) => redirect(location, cached)),
          // Redirects to the URL of the specification, in the hope that the provider responds there. Not cached, so
          // that the client asks here again next time.
          Effect.catch(() => Effect.succeed(redirect(metadataUrl(found.source.issuer, name), notCached)))
        )
      case "NotSupported":
        return Effect.fail(new DiscoveryNotSupported())
    }
  }

  return (
    name: MetadataName,
    publicUrl: string
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, DiscoveryNotSupported | ProviderUnavailable> =>
    name === "oauth-protected-resource"
      ? Effect.succeed(protectedResourceResponse(publicUrl))
      : authorizationServerResponse(name)
})

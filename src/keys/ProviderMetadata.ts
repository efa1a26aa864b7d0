import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { freshnessMillis } from "./freshness.ts"
import { isSameIssuer, metadataUrls } from "./issuerUrl.ts"
import { type JsonObject, own } from "./JsonObject.ts"
import { type ProviderReach, reachOf } from "./JwksSource.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import { providerLimits } from "./providerLimits.ts"
import * as RemoteValue from "./RemoteValue.ts"

/** The metadata of an issuer cannot be had, or is not its own. `detail` is for the log. */
export class MetadataUnavailable extends Data.TaggedError("MetadataUnavailable")<{
  readonly detail: string
}> {}

/** An issuer, and what its URLs may be. */
export interface MetadataSource extends ProviderReach {
  readonly issuer: string
}

/**
 * The discovery documents that providers publish about themselves (OpenID Connect Discovery 1.0, section 4; RFC 8414).
 *
 * Only for configured issuers, never for one that a token names. A document that names another issuer is refused (mix-up,
 * RFC 8414, section 3.3). Kept as long as its `max-age` says, within 1 minute and 24 hours, else 5 minutes; a failure is
 * kept for 10 seconds.
 */
export class ProviderMetadata extends Context.Service<ProviderMetadata, {
  /** The document as the provider wrote it. Fails with `MetadataUnavailable`. */
  readonly document: (source: MetadataSource) => Effect.Effect<JsonObject, MetadataUnavailable>
}>()("mcp-authorizer/keys/ProviderMetadata") {
  static readonly make = Effect.gen(function*() {
    const http = yield* ProviderHttp
    const scope = yield* Effect.scope
    // One entry for each configured provider.
    const documents = new Map<string, RemoteValue.RemoteValue<JsonObject, MetadataUnavailable>>()

    const fetch = Effect.fnUntraced(function*({ allowHttp, allowedDomains, issuer }: MetadataSource) {
      const [openid, oauth] = metadataUrls(issuer)
      const { body, cacheControl } = yield* http.send({ url: openid, allowedDomains, allowHttp }).pipe(
        Effect.catchIf(
          // Not there is a reason to look elsewhere; not reachable is none.
          ({ kind, status }) => kind === "Status" && status === 404,
          () => http.send({ url: oauth, allowedDomains, allowHttp })
        ),
        Effect.mapError((error) => new MetadataUnavailable({ detail: error.detail }))
      )
      const named = own(body, "issuer")
      return typeof named === "string" && isSameIssuer(issuer, named)
        ? { value: body, freshMillis: freshnessMillis(cacheControl) }
        : yield* new MetadataUnavailable({ detail: "the metadata names another issuer" })
    })

    return ProviderMetadata.of({
      document: (source) =>
        Effect.suspend(() => {
          const name = JSON.stringify([source.issuer, reachOf(source)])
          const document = documents.get(name) ??
            RemoteValue.make(scope, () => fetch(source), providerLimits, () => Effect.void)
          documents.set(name, document)
          return Effect.map(document.current, ({ value }) => value)
        })
    })
  })

  static readonly layer = Layer.effect(ProviderMetadata, ProviderMetadata.make)
}

import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { issuersOf, normalTemplate } from "../config/kinds/issuerTemplate.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import { show } from "../errors/show.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeWaitingRoom } from "../fairness/waitingRoom.ts"
import { makeDocumentStore } from "./documentStore.ts"
import { freshnessMillis } from "./freshness.ts"
import { HeldValues, type Holder } from "./HeldValues.ts"
import { isSameIssuer, metadataUrls } from "./issuerUrl.ts"
import { isJsonObject, type JsonObject, own } from "./JsonObject.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import { documentWaiters, providerLimits, tooManyWait } from "./providerLimits.ts"
import { type ProviderReach, type PublishedIssuer, reachOf } from "./ProviderReach.ts"
import type { ProviderRequestFailed } from "./ProviderRequestFailed.ts"
import type { Fetched } from "./remoteState.ts"
import * as RemoteValue from "./RemoteValue.ts"
import { type Entries, SharedEntries, storeEntries } from "./SharedEntries.ts"

/** The metadata of an issuer are unavailable, or name another issuer. `detail` is for the log. */
export class MetadataUnavailable extends Data.TaggedError("MetadataUnavailable")<{
  readonly detail: string
  /** Whether all URLs were requested, and the provider has no such document. */
  readonly isAbsent?: boolean | undefined
}> {}

/** An issuer, and the URLs that its metadata may contain. */
export interface MetadataSource extends ProviderReach, PublishedIssuer {}

/** The service for one user, and the function that ends its use. */
export interface DocumentLease {
  readonly service: ProviderMetadata["Service"]
  readonly release: () => void
}

/** A metadata document, and the URL at which it was found. */
export interface LocatedMetadata {
  readonly url: string
  readonly document: JsonObject
}

/** The shared entry of a document: the document, or the reason why the provider has none. */
type FoundMetadata = LocatedMetadata | { readonly absent: string }

const format = {
  encode: (found: FoundMetadata): JsonObject => ({ ...found }),
  /** Checks an entry, because others may have written it to the store. */
  decode: (value: JsonObject): Effect.Effect<FoundMetadata | undefined> => {
    const [url, document, absent] = [own(value, "url"), own(value, "document"), own(value, "absent")]
    if (typeof url === "string" && isJsonObject(document)) return Effect.succeed({ url, document })
    return Effect.succeed(typeof absent === "string" ? { absent } : undefined)
  }
}

/** How long instances share that a document does not exist: the minimum freshness of a document. */
const absentMillis = 60_000

/**
 * Turns the absence of a document into a success, so that it is cached. A document found earlier is kept until it is
 * stale.
 */
const withAbsence = (
  previous: FoundMetadata | undefined,
  fetch: Effect.Effect<Fetched<FoundMetadata>, MetadataUnavailable>
): Effect.Effect<Fetched<FoundMetadata>, MetadataUnavailable> =>
  Effect.catchIf(
    fetch,
    ({ isAbsent }) => isAbsent === true && (previous === undefined || "absent" in previous),
    ({ detail }) => Effect.succeed({ value: { absent: detail }, freshMillis: absentMillis })
  )

/** The time limit for all URLs together. Each request has a timeout as well. */
const totalTimeout = "10 seconds"

/**
 * Returns whether a URL has no document, so that the next URL is tried: not found, forbidden, an HTML page, or a
 * redirect. If the provider is down or limits the rate of requests, the next URL is not tried.
 */
export const isMissing = ({ kind, status = 0 }: ProviderRequestFailed): boolean => {
  switch (kind) {
    case "Status":
      return status < 500 && status !== 408 && status !== 425 && status !== 429
    case "Redirect":
    case "NotJson":
    case "NotAnObject":
    case "NotUtf8":
    case "DuplicateMember":
    case "TooDeep":
    case "TooLarge":
      return true
    default:
      return false
  }
}

/** Returns why a document is not the metadata of the issuer. For a template, it may name the template or a tenant. */
const mistake = (document: JsonObject, source: MetadataSource): string | undefined => {
  const named = own(document, "issuer")
  if (typeof named !== "string") return "it names no issuer"
  const { issuer, tenants } = source
  const isOwn = issuersOf(source).some((own) => isSameIssuer(own, named)) ||
    (tenants !== undefined && isSameIssuer(normalTemplate(issuer), normalTemplate(named)))
  return isOwn ? undefined : `it names the issuer ${show(named)}, and the configured one is ${show(issuer)}`
}

/**
 * The discovery documents that providers publish about themselves (OpenID Connect Discovery 1.0, section 4; RFC 8414).
 *
 * Only for configured issuers, never for one that only a token names. If a well-known URL has no document, the next one
 * is tried; a configured URL is the only one. A document that names another issuer is rejected (mix-up, RFC 8414,
 * section 3.3). Documents are cached for their `max-age`, but at least 1 minute and at most 24 hours, or for 5 minutes
 * without it. Failures are cached for 10 seconds, and their detail has the result for each URL.
 */
export class ProviderMetadata extends Context.Service<ProviderMetadata, {
  /** Returns the document as the provider wrote it. Fails with `MetadataUnavailable`. */
  readonly document: (source: MetadataSource) => Effect.Effect<JsonObject, MetadataUnavailable>
  /** Returns the URL of the document, by preference if two exist. Fails with `MetadataUnavailable`. */
  readonly location: (source: MetadataSource, preferred: DocumentName) => Effect.Effect<string, MetadataUnavailable>
  /**
   * The service for one of several users, each with sources of its own that may change. Documents that no user has
   * requested any more are dropped. If left out, documents are kept as long as the service.
   */
  readonly lease?: (() => DocumentLease) | undefined
}>()("mcp-authorizer/remote/ProviderMetadata") {
  /** Finds and caches documents. Shares them with other instances if there is a store. */
  static readonly makeWith = Effect.fnUntraced(function*(
    store?: Entries
  ): Effect.fn.Return<ProviderMetadata["Service"], never, ProviderHttp | Scope.Scope> {
    const http = yield* ProviderHttp
    const scope = yield* Effect.scope
    const sharedIo = yield* SharedIo
    // One entry for each configured provider and preferred document.
    const documents = new HeldValues<RemoteValue.RemoteValue<FoundMetadata, MetadataUnavailable>>()

    const fetch = Effect.fnUntraced(
      function*(source: MetadataSource, preferred: DocumentName) {
        const { allowHttp, allowedDomains, discoveryUrl, issuer } = source
        const results: Array<string> = []
        let isAbsent = true
        for (const url of discoveryUrl === undefined ? metadataUrls(issuer, preferred) : [discoveryUrl]) {
          const response = yield* Effect.result(http.send({ url, allowedDomains, allowHttp }))
          if (Result.isFailure(response)) {
            const failure = response.failure
            if (!isMissing(failure)) {
              return yield* new MetadataUnavailable({ detail: [...results, failure.detail].join("; ") })
            }
            results.push(failure.summary)
            continue
          }
          const { body, cacheControl } = response.success
          const wrong = mistake(body, source)
          if (wrong === undefined) return { value: { url, document: body }, freshMillis: freshnessMillis(cacheControl) }
          isAbsent = isAbsent && own(body, "issuer") === undefined
          results.push(`${url}: ${wrong}`)
        }
        return yield* new MetadataUnavailable({ detail: results.join("; "), isAbsent })
      },
      Effect.timeoutOrElse({
        duration: totalTimeout,
        orElse: () => Effect.fail(new MetadataUnavailable({ detail: "Timeout of the whole discovery" }))
      })
    )

    const make = (source: MetadataSource, preferred: DocumentName, name: string) =>
      RemoteValue.make<FoundMetadata, MetadataUnavailable>({
        scope,
        locate: Effect.succeed(name),
        fetch: ({ previous }) => sharedIo ? fetch(source, preferred) : withAbsence(previous, fetch(source, preferred)),
        limits: providerLimits,
        room: makeWaitingRoom(
          documentWaiters,
          () => withoutStack(() => new MetadataUnavailable({ detail: `${source.issuer}: ${tooManyWait}` }))
        ),
        store: store &&
          makeDocumentStore(store, { ...format, kind: `metadata:${preferred}`, sharesFailures: !sharedIo }),
        backedOff: () => new MetadataUnavailable({ detail: "the last fetch failed not long ago" }),
        sharedIo
      })

    const serviceOf = (
      holder: Holder<RemoteValue.RemoteValue<FoundMetadata, MetadataUnavailable>>
    ): ProviderMetadata["Service"] => {
      const find = (source: MetadataSource, preferred: DocumentName) =>
        Effect.suspend(() => {
          const name = [source.issuer, source.discoveryUrl ?? "", ...reachOf(source)].join(" ")
          const document = holder.get(`${preferred} ${name}`, () => ({ value: make(source, preferred, name) }))
          return Effect.flatMap(document.current, ({ value }) =>
            "absent" in value
              ? Effect.fail(new MetadataUnavailable({ detail: value.absent, isAbsent: true }))
              : Effect.succeed(value))
        })

      return ProviderMetadata.of({
        document: (source) => Effect.map(find(source, "openid-configuration"), ({ document }) => document),
        location: (source, preferred) => Effect.map(find(source, preferred), ({ url }) => url),
        lease: () => {
          const own = documents.holder()
          return { service: serviceOf(own), release: own.release }
        }
      })
    }
    return serviceOf(documents.holder())
  })

  static readonly make: Effect.Effect<ProviderMetadata["Service"], never, ProviderHttp | Scope.Scope> = Effect.flatMap(
    SharedEntries,
    ProviderMetadata.makeWith
  )

  static readonly layer: Layer.Layer<ProviderMetadata, never, ProviderHttp> = perConfiguration(
    Layer.effect(ProviderMetadata, ProviderMetadata.make)
  )

  /**
   * Like `layer`, for instances that live for one request: documents are stored in the `KeyValueStore` while they are
   * fresh, and the absence of a document for 1 minute.
   */
  static readonly layerStored: Layer.Layer<ProviderMetadata, never, KeyValueStore.KeyValueStore | ProviderHttp> =
    perConfiguration(Layer.effect(ProviderMetadata, Effect.flatMap(storeEntries, ProviderMetadata.makeWith)))
}

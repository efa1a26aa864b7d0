import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Shares } from "../fairness/Shares.ts"
import { freshnessMillis } from "../remote/freshness.ts"
import { makeRecentlyUsed } from "../verify/recentlyUsed.ts"
import { readClientDocument } from "./clientDocument.ts"
import { type ClientDocument, ClientDocumentRejected, type ClientMetadata } from "./ClientMetadata.ts"

/** A response with a document. */
export interface FetchedDocument {
  readonly text: string
  readonly cacheControl: string | undefined
}

/**
 * Requests a document.
 *
 * @param isPrivateAllowed whether its host may have an address that is not public
 */
export type RequestDocument = (
  url: URL,
  isPrivateAllowed: boolean
) => Effect.Effect<FetchedDocument, ClientDocumentRejected>

/** Documents that are kept, and documents that may be fetched at the same time. */
const maxKept = 256
const maxFetches = 64

interface Kept {
  readonly document: ClientDocument
  readonly until: number
}

/**
 * Builds the service on a way to request documents.
 *
 * A document is kept as long as its `max-age` says, within 1 minute and 24 hours, or 5 minutes without it; what cannot be used
 * is not kept (draft-ietf-oauth-client-id-metadata-document, section 4.4). Requests for one document share one fetch, which
 * continues when they leave. At most 64 fetches run at a time, of which each peer gets a share.
 */
export const makeClientMetadata = Effect.fnUntraced(function*(
  request: RequestDocument
): Effect.fn.Return<ClientMetadata, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const kept = makeRecentlyUsed<Kept>(maxKept)
  const shares = new Shares(maxFetches)
  const running = new Map<string, Fiber.Fiber<ClientDocument, ClientDocumentRejected>>()

  const fetch = Effect.fnUntraced(function*(name: string, clientId: string, isPrivateAllowed: boolean) {
    const { cacheControl, text } = yield* request(new URL(clientId), isPrivateAllowed)
    const document = yield* Effect.mapError(
      Effect.fromResult(readClientDocument(clientId, text)),
      (detail) => new ClientDocumentRejected({ detail })
    )
    kept.set(name, { document, until: (yield* Clock.currentTimeMillis) + freshnessMillis(cacheControl) })
    return document
  })

  return {
    isSupported: true,
    fetch: Effect.fnUntraced(function*(clientId, privateHosts, peer) {
      const isPrivateAllowed = privateHosts.includes(new URL(clientId).hostname)
      const name = JSON.stringify([isPrivateAllowed, clientId])
      const known = kept.get(name)
      if (known !== undefined && (yield* Clock.currentTimeMillis) < known.until) return known.document
      const joined = running.get(name)
      if (joined !== undefined) return yield* Fiber.join(joined)
      const share = peer === undefined ? undefined : shares.of(peer)
      const begin = Effect.gen(function*() {
        if (!shares.claim(share)) {
          return yield* new ClientDocumentRejected({
            detail: "too many documents of clients are being fetched",
            isUnavailable: true
          })
        }
        const fiber = yield* Effect.forkIn(fetch(name, clientId, isPrivateAllowed), scope)
        running.set(name, fiber)
        fiber.addObserver(() => {
          running.delete(name)
          shares.release(share)
        })
        return fiber
      })
      // A claim is released, even if the peer disconnects now.
      const fiber = yield* Effect.uninterruptible(begin)
      return yield* Fiber.join(fiber)
    })
  }
})

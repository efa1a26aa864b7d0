import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Shares } from "../fairness/Shares.ts"
import { freshnessMillis } from "../remote/freshness.ts"
import { makeRecentlyUsed } from "../verify/recentlyUsed.ts"
import { readClientDocument } from "./clientDocument.ts"
import { type ClientDocument, ClientDocumentRejected, type ClientMetadata } from "./ClientMetadata.ts"

export interface FetchedDocument {
  readonly text: string
  readonly cacheControl: string | undefined
}

/**
 * Requests a document over HTTP.
 *
 * @param isPrivateAllowed whether its host may have a private address
 */
export type RequestDocument = (
  url: URL,
  isPrivateAllowed: boolean
) => Effect.Effect<FetchedDocument, ClientDocumentRejected>

/** The maximum number of cached documents, and of concurrent fetches. */
const maxKept = 256
const maxFetches = 64

interface Kept {
  readonly document: ClientDocument
  readonly until: number
}

/**
 * Builds the service, with a cache, on a function that requests documents.
 *
 * A document is cached for its `max-age`, but at least 1 minute and at most 24 hours, or for 5 minutes without
 * `max-age`. Unusable documents are not cached (draft-ietf-oauth-client-id-metadata-document, section 4.4). Requests
 * for one document share one fetch, which continues if they are cancelled. At most 64 fetches run at a time, and each
 * peer may have a share of them.
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
      // Uninterruptible, so that the claim is released even if the peer disconnects now.
      const fiber = yield* Effect.uninterruptible(begin)
      return yield* Fiber.join(fiber)
    })
  }
})

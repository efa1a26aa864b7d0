/** Clients whose id is the URL of a document about them (OAuth Client ID Metadata Document). */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A client as described by its document, after validation. */
export interface ClientDocument {
  /** The redirect URIs, character for character as the document has them. */
  readonly redirectUris: ReadonlyArray<string>
  /** The name that the client gives itself: not to be trusted, and not to be shown without its host. */
  readonly clientName: string | undefined
}

export class ClientDocumentRejected extends Data.TaggedError("ClientDocumentRejected")<{
  /** For the log; without the document's content. */
  readonly detail: string
  /** Whether the document could not be fetched now, but may be usable later. */
  readonly isUnavailable?: boolean | undefined
}> {}

/**
 * Fetches the documents of clients.
 *
 * The default supports no documents: client ids that are URLs are then unknown, and the metadata do not announce them.
 */
export interface ClientMetadata {
  readonly isSupported: boolean
  /**
   * @param clientId an `https` URL, which the document must repeat as its `client_id`
   * @param privateHosts hosts that may have private addresses
   * @param peer the peer that caused the request. Each peer may have a share of the fetches in progress
   */
  readonly fetch: (
    clientId: string,
    privateHosts: ReadonlyArray<string>,
    peer?: string
  ) => Effect.Effect<ClientDocument, ClientDocumentRejected>
}

/** The service. Provided by hosts that can prevent requests into their own network. */
export const ClientMetadata = Context.Reference<ClientMetadata>("mcp-authorizer/facade/ClientMetadata", {
  defaultValue: () => ({
    isSupported: false,
    fetch: () => Effect.fail(new ClientDocumentRejected({ detail: "client ids that are URLs are not supported here" }))
  })
})

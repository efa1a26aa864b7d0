/**
 * The clients of the facade: one that all registered clients share, and those that publish a document about themselves.
 */
import * as Effect from "effect/Effect"
import { isAllowedRedirect, isLocalRedirect } from "../config/kinds/redirectUris.ts"
import { OAuthRejected, ProviderUnavailable } from "../errors/GatewayError.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { isDocumentUrl } from "./clientDocument.ts"
import type { ClientMetadata } from "./ClientMetadata.ts"
import type { FacadeProvider } from "./places.ts"

/** A client, and the redirect URIs of its users. */
export interface FacadeClient {
  readonly id: string
  readonly redirectUris: ReadonlyArray<string>
  /** The content of its document; `undefined` for the client that registered clients share. */
  readonly document: { readonly name: string | undefined } | undefined
}

const unknown = (detail: string) => new OAuthRejected({ error: "invalid_client", reason: "UnknownClient", detail })

/**
 * Returns whether a client can still exist, without reading its document. The settings may have changed since a value
 * was sealed for the client.
 */
export const isPossibleClient = ({ facade }: Pick<FacadeProvider, "facade">, clientId: string): boolean =>
  clientId === facade.clientId || (facade.clientMetadata && isDocumentUrl(clientId))

/** Builds the function that finds a client by its id. The peer is the one that causes the request for its document. */
export const makeFindClient =
  ({ facade, name }: FacadeProvider, documents: ClientMetadata) =>
  (clientId: string, peer: string): Effect.Effect<FacadeClient, OAuthRejected | ProviderUnavailable> => {
    if (clientId === facade.clientId) {
      return Effect.succeed({ id: clientId, redirectUris: facade.redirectUris, document: undefined })
    }
    if (!facade.clientMetadata || !documents.isSupported || !isDocumentUrl(clientId)) {
      return Effect.fail(unknown("the client id is not that of the facade"))
    }
    return documents.fetch(clientId, facade.clientMetadataHosts, peer).pipe(
      Effect.map(({ clientName, redirectUris }) => ({ id: clientId, redirectUris, document: { name: clientName } })),
      Effect.mapError(({ detail, isUnavailable = false }) =>
        isUnavailable
          ? new ProviderUnavailable({ provider: name, detail, retryAfter: retryAfterSeconds })
          : unknown(detail)
      )
    )
  }

/** A redirect URI for the log: without its query, and only if it has no unusual characters. */
export const shownRedirect = (uri: string): string => {
  const plain = /^[a-z][a-z0-9+.-]{0,30}:\/{0,2}[A-Za-z0-9.:_/[\]-]{0,200}(?=\?|$)/.exec(uri)?.[0]
  return plain === undefined ? "the redirect URI" : `the redirect URI ${plain}`
}

export const requireRedirect = (client: FacadeClient, redirectUri: string): Effect.Effect<void, OAuthRejected> =>
  isAllowedRedirect(client.redirectUris, redirectUri)
    ? Effect.void
    : Effect.fail(
      new OAuthRejected({
        error: "invalid_request",
        reason: "RedirectUri",
        detail: client.document === undefined
          ? `${shownRedirect(redirectUri)} is not among redirect_uris of the facade`
          : "the redirect URI is not in the document of the client"
      })
    )

/**
 * Returns whether the operator trusts a client, so that its user need not consent. The id counts only together with a
 * redirect URI that no one else can receive.
 */
export const isTrusted = ({ facade }: FacadeProvider, { id }: FacadeClient, redirectUri: string): boolean =>
  !isLocalRedirect(redirectUri) &&
  (facade.trustedClients.includes(redirectUri) || facade.trustedClients.includes(id))

/**
 * Returns whether errors may be sent to a redirect URI before the user consents: only if the operator has configured
 * the URI, because a document may name any (RFC 9700, section 4.11.2).
 */
export const mayRedirectErrors = (provider: FacadeProvider, client: FacadeClient, redirectUri: string): boolean =>
  client.document === undefined || isTrusted(provider, client, redirectUri)

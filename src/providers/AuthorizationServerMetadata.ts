import type { MetadataSource } from "../remote/ProviderMetadata.ts"

/** Where clients get the metadata of an authorization server (RFC 8414). */
export type AuthorizationServerMetadata =
  /** The gateway builds the document itself, without a request. */
  | { readonly _tag: "Document"; readonly document: Readonly<Record<string, unknown>> }
  /** The provider's own document is fetched, and served under this issuer. */
  | {
    readonly _tag: "Fetch"
    readonly provider: string
    readonly source: MetadataSource
    readonly issuer: string
    /** If `false`, PKCE is not added to the metadata of a provider whose own document does not name it. */
    readonly assumePkce?: boolean | undefined
    /** Builds the document that clients get, in place of the usual changes. */
    readonly present?: (document: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
    /** Returns why clients could not use the document that `present` builds; `undefined` if they can. */
    readonly unusable?: (document: Readonly<Record<string, unknown>>) => string | undefined
  }
  /** The client is redirected to the URL at which the provider publishes the document. */
  | { readonly _tag: "Redirect"; readonly source: MetadataSource }
  /** The provider has no such document. */
  | { readonly _tag: "NotSupported" }

import type { MetadataSource } from "../remote/ProviderMetadata.ts"

/** Where clients get the metadata of an authorization server (RFC 8414). */
export type AuthorizationServerMetadata =
  /** The document is known without a request. */
  | { readonly _tag: "Document"; readonly document: Readonly<Record<string, unknown>> }
  /** The provider's own document, fetched and shown under this issuer. */
  | {
    readonly _tag: "Fetch"
    /** The name of the provider. */
    readonly provider: string
    readonly source: MetadataSource
    readonly issuer: string
    /** `false`: do not name PKCE for a provider whose document does not. */
    readonly assumePkce?: boolean | undefined
  }
  /** The client is redirected to the provider itself, at the place that has the document. */
  | { readonly _tag: "Redirect"; readonly source: MetadataSource }
  /** There is no such document. */
  | { readonly _tag: "NotSupported" }

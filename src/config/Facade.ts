import type * as Redacted from "effect/Redacted"

/** The ways in which the facade authenticates at the token endpoint of the provider, by the names of `client_auth`. */
export const facadeAuthMethods = ["basic", "post", "private_key_jwt", "none"] as const

/** Algorithms that the facade can sign its client assertions with. */
export const assertionAlgorithms = ["RS256", "PS256", "ES256"] as const

/** How the facade authenticates at the token endpoint of the provider. */
export type FacadeAuth =
  /** RFC 6749, section 2.3.1. `method` is `undefined` if the metadata of the provider decide. */
  | { readonly method: "basic" | "post" | undefined; readonly clientSecret: Redacted.Redacted<string> }
  /** OpenID Connect Core 1.0, section 9; RFC 7523, section 2.2. */
  | {
    readonly method: "private_key_jwt"
    /** PKCS#8, in PEM. */
    readonly clientKey: Redacted.Redacted<string>
    readonly algorithm: (typeof assertionAlgorithms)[number]
    readonly keyId: string | undefined
    /** The SHA-256 thumbprint of the certificate of the key, in base64url (RFC 7515, section 4.1.8). */
    readonly certificateThumbprint: string | undefined
  }
  | { readonly method: "none" }

/** The gateway in the role of the authorization server, for a provider that lacks what MCP clients need. */
export interface Facade {
  /** The client that is registered at the provider, which all clients of the gateway share. */
  readonly clientId: string
  readonly auth: FacadeAuth
  /** The redirect URIs that registered clients may have. A loopback URI without a port matches every port. */
  readonly redirectUris: ReadonlyArray<string>
  /** Redirect URIs, and client ids that are URLs, for which no consent page is shown. */
  readonly trustedClients: ReadonlyArray<string>
  /** Whether clients can register (RFC 7591). */
  readonly registration: boolean
  /** Whether the provider exchanges identity assertions (RFC 7523, ID-JAG) for tokens. */
  readonly assertions: boolean
  /** The issuer of these assertions; `undefined` for the provider itself. */
  readonly assertionIssuer: string | undefined
  /** Whether client ids may be URLs of metadata documents. */
  readonly clientMetadata: boolean
  /** Hosts of such documents that may have private addresses. */
  readonly clientMetadataHosts: ReadonlyArray<string>
  /** Scopes that are requested from the provider in addition to those of the client. */
  readonly scopes: ReadonlyArray<string>
  /** The `resource` that the provider gets: the client's (`keep`), or this one; none if `undefined`. */
  readonly resource: string | undefined
  /** Added to the authorization request, such as `audience` or `prompt`; `{resource}` stands for the URL of the MCP server. */
  readonly authorizeParameters: ReadonlyArray<readonly [name: string, value: string]>
  readonly tokenParameters: ReadonlyArray<readonly [name: string, value: string]>
  /** Whether the gateway uses PKCE at the provider as well. */
  readonly pkce: boolean
  /** Endpoints of the provider, in place of those in its metadata. */
  readonly authorizeEndpoint: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly revocationEndpoint: string | undefined
  /** How many requests from one address each endpoint accepts in a minute. */
  readonly requestsPerMinute: number
}

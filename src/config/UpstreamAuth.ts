import type * as Redacted from "effect/Redacted"
import type { FacadeAuth } from "./Facade.ts"

/** The types of tokens that the gateway can sign, by the names of `typ` in `upstream_auth`. */
export const identityTokenTypes = ["at+jwt", "JWT"] as const

/** The ways to get a token for the MCP server from the provider, by the names of `grant` in `upstream_auth`. */
export const exchangeGrants = ["token_exchange", "on_behalf_of"] as const

/** A claim of the caller's token, by its path, and its name in the token that the gateway signs. */
export interface SignedClaim {
  readonly claim: string
  readonly name: string
}

/** A JWT that names the caller, signed by the gateway. */
export interface IdentityJwtAuth {
  readonly _tag: "IdentityJwt"
  /** In lower case. In `authorization` the token follows `Bearer`; in any other field it stands alone. */
  readonly field: string
  /** `iss`; `undefined`: the public URL. */
  readonly issuer: string | undefined
  /** `aud`; `undefined`: the URL of the MCP server. */
  readonly audience: string | undefined
  readonly claims: ReadonlyArray<SignedClaim>
  readonly typ: (typeof identityTokenTypes)[number]
}

/** A token for the MCP server that the provider issues in exchange for the caller's. */
export interface ExchangeAuth {
  readonly _tag: "Exchange"
  /** As in `IdentityJwtAuth`. */
  readonly field: string
  readonly grant: (typeof exchangeGrants)[number]
  /** The name of the provider; `undefined`: the only one of the server. */
  readonly provider: string | undefined
  /** `undefined`: the one in the provider's metadata. */
  readonly tokenEndpoint: string | undefined
  /** The client at the provider that exchanges tokens, which is the gateway. */
  readonly clientId: string
  readonly auth: FacadeAuth
  readonly audience: ReadonlyArray<string>
  readonly resource: string | undefined
  readonly scope: ReadonlyArray<string>
  readonly requestedTokenType: string | undefined
}

/** A fixed secret that the gateway and the MCP server share. */
export interface HeaderAuth {
  readonly _tag: "Header"
  /** In lower case. */
  readonly field: string
  readonly value: Redacted.Redacted<string>
}

/** What the gateway sends with each request as a proof for the MCP server (`upstream_auth`). */
export type UpstreamAuth = { readonly _tag: "None" } | IdentityJwtAuth | ExchangeAuth | HeaderAuth

/** The field with the proof for the MCP server; `undefined` if none is sent. */
export const upstreamField = (auth: UpstreamAuth): string | undefined => auth._tag === "None" ? undefined : auth.field

import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import type { Identity } from "../identity/Identity.ts"
import { maxPositiveMillis } from "../verify/opaque/verdictLife.ts"

/** What the official SDK calls `AuthInfo`, with more in its `extra`. */
export interface OAuthTokenInfo {
  token: string
  /** The OAuth client that the token was issued to; empty where the token does not say. */
  clientId: string
  scopes: Array<string>
  /** Seconds since 1970; five minutes from now where the provider does not say when the token ends. */
  expiresAt: number
  /** The URL of this server, if it is known and the token's `aud` names it. */
  resource?: URL
  extra: {
    subject: string
    /** Who calls: a person, or a program on its own behalf. */
    principal: "user" | "client" | undefined
    issuer: string
    /** The name of the provider that vouches for the caller. */
    provider: string
    email: string | undefined
    name: string | undefined
    /** All claims, as the provider gave them. */
    claims: Record<string, unknown>
  }
}

const namesResource = (aud: unknown, resource: string): boolean =>
  [aud].flat().some((one) => typeof one === "string" && withoutSlash(one) === withoutSlash(resource))

/** Tells the SDK who bears `token`. Everything in it is the caller's own: handlers may change it. */
export const oauthTokenInfo = (
  token: string,
  { claims, clientId, email, expiresAt, issuer, name, principal, provider, scopes, subject }: Identity,
  { nowSeconds, resource }: { readonly nowSeconds: number; readonly resource: string | undefined }
): OAuthTokenInfo => ({
  token,
  clientId: clientId ?? "",
  scopes: [...scopes],
  expiresAt: expiresAt ?? nowSeconds + maxPositiveMillis / 1000,
  ...(resource !== undefined && namesResource(claims["aud"], resource) ? { resource: new URL(resource) } : {}),
  extra: { subject, principal, issuer, provider, email, name, claims: structuredClone(claims) }
})

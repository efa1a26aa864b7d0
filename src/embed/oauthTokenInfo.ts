import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import type { Identity } from "../identity/Identity.ts"
import { maxPositiveMillis } from "../verify/opaque/verdictLife.ts"

/** The SDK's `AuthInfo`, with more members in `extra`. */
export interface OAuthTokenInfo {
  token: string
  /** The OAuth client that the token was issued to. Empty if the token names none. */
  clientId: string
  scopes: Array<string>
  /** Seconds since 1970; five minutes from now if the provider reports no expiry. */
  expiresAt: number
  /** The URL of this server, if it is configured and the token's `aud` names it. */
  resource?: URL
  extra: {
    subject: string
    /** The kind of the caller: a user, or a program that acts for itself. */
    principal: "user" | "client" | undefined
    issuer: string
    provider: string
    email: string | undefined
    name: string | undefined
    /** All claims, as the provider sent them. */
    claims: Record<string, unknown>
  }
}

const namesResource = (aud: unknown, resource: string): boolean =>
  [aud].flat().some((one) => typeof one === "string" && withoutSlash(one) === withoutSlash(resource))

/** Describes the caller to the SDK. The result is a copy, which handlers may change. */
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

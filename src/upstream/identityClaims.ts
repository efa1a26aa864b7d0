/** The claims of the gateway's own tokens. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { IdentityJwtAuth } from "../config/UpstreamAuth.ts"
import { claimAt, claimsAt } from "../identity/claimPath.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Json } from "../identity/Json.ts"
import type { SignedClaims } from "../keys/signingKeys.ts"

/** How long a token is valid from its `iat` on, in seconds. */
const lifeSeconds = 60

/** How far in the past `iat` and `nbf` are, for servers whose clock is behind, in seconds. */
const backdatedSeconds = 5

/**
 * The remaining lifetime, in seconds, of a caller's token that is only accepted because of the tolerance for clocks.
 */
const leastSeconds = 10

/** How long before its expiry a token is replaced, in milliseconds: requests may queue, and clocks differ. */
const marginMillis = 15_000

/**
 * The maximum length of one copied claim, and of all together, in characters of JSON. Servers accept some 8 KiB of
 * fields.
 */
const maxClaim = 4_096
const maxTotal = 5_120

const jsonOf = (value: unknown): string | undefined =>
  Result.getOrUndefined(Result.try((): string | undefined => JSON.stringify(value)))

const valueOf = (identity: Identity, path: string): unknown =>
  !Object.hasOwn(identity.claims, path) && path.split(".").includes("*")
    ? claimsAt(identity.claims, path).flat().filter((value) => value !== undefined)
    : claimAt(identity.claims, path)

/** Copies the configured claims. A claim that is too long is left out entirely: half a list would be misleading. */
const copied = ({ claims }: IdentityJwtAuth, identity: Identity): SignedClaims => {
  const found: Record<string, Json> = {}
  let total = 0
  for (const { claim, name } of claims) {
    const json = jsonOf(valueOf(identity, claim))
    if (json === undefined || json === "null" || json.length > maxClaim || total + json.length > maxTotal) continue
    total += json.length
    // `json` was written by `JSON.stringify`.
    found[name] = JSON.parse(json) as Json
  }
  return found
}

/** Builds the claims of a token, without its times and its id. */
export const identityClaims = (
  { gatewayUrl, publicUrl }: Pick<GatewaySettings, "gatewayUrl" | "publicUrl">,
  auth: IdentityJwtAuth,
  identity: Identity
): SignedClaims => ({
  // The claims of the gateway come last, so that no other claim can replace them.
  ...copied(auth, identity),
  ...(identity.scopes.length === 0 ? {} : { scope: identity.scopes.join(" ") }),
  ...(identity.clientId === undefined ? {} : { client_id: identity.clientId }),
  // A subject is unique only within its issuer.
  idp: identity.issuer,
  sub: identity.subject,
  // `checkUpstreamAuth` has ensured that one of these is set.
  aud: auth.audience ?? gatewayUrl,
  iss: auth.issuer ?? publicUrl ?? ""
})

/** The start and expiry of a token, in seconds since 1970, and until when it is sent, in milliseconds. */
export interface TokenTimes {
  readonly claims: { readonly iat: number; readonly nbf: number; readonly exp: number }
  readonly sentUntil: number
}

/** Returns the times of a token that is signed now. It outlives the caller's own token by a few seconds at most. */
export const tokenTimes = (expiresAt: number | undefined, nowMillis: number): TokenTimes => {
  const now = Math.floor(nowMillis / 1000)
  const iat = now - backdatedSeconds
  const end = expiresAt !== undefined && Number.isFinite(expiresAt) ? Math.floor(expiresAt) : Number.POSITIVE_INFINITY
  const exp = Math.min(iat + lifeSeconds, Math.max(end, now + leastSeconds))
  const life = exp * 1000 - nowMillis
  return { claims: { iat, nbf: iat, exp }, sentUntil: exp * 1000 - Math.min(marginMillis, life / 2) }
}

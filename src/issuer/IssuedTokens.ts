/** The tokens that an issuer has stored: opaque ones, and those from its token endpoint. */
import * as Base64Url from "effect/encoding/Base64Url"

/** What the issuer stores about a token. */
interface IssuedToken {
  readonly subject: string
  readonly clientId: string
  readonly audience: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
  readonly email: string | undefined
  readonly name: string | undefined
  /** Seconds since 1970. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expiresAt: number
  /** Further members of the introspection response. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface IssuedTokens {
  /** Stores a token. */
  readonly add: (token: string, issued: IssuedToken) => void
  readonly revoke: (token: string) => void
  /** Returns a stored token; `undefined` if it is unknown, revoked, or expired at `now` (seconds). */
  readonly active: (token: string, now: number) => IssuedToken | undefined
}

export const makeIssuedTokens = (): IssuedTokens => {
  const tokens = new Map<string, IssuedToken>()
  return {
    add: (token, issued) => {
      tokens.set(token, issued)
    },
    revoke: (token) => {
      tokens.delete(token)
    },
    active: (token, now) => {
      const issued = tokens.get(token)
      return issued !== undefined && now < issued.expiresAt ? issued : undefined
    }
  }
}

/**
 * Returns the prefix and 256 random bits, in characters that are valid in a Bearer credential (RFC 6750, section 2.1).
 */
export const randomOpaqueToken = (prefix: string): string =>
  prefix + Base64Url.encode(crypto.getRandomValues(new Uint8Array(32)))

/** The tokens that an issuer knows by heart: opaque ones, and those that its token endpoint gave out. */
import * as Base64Url from "effect/encoding/Base64Url"

/** What the issuer remembers of a token. */
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
  /** Further members of the introspection answer. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface IssuedTokens {
  /** Remembers a token. */
  readonly add: (token: string, issued: IssuedToken) => void
  readonly revoke: (token: string) => void
  /** `undefined` for a token that is unknown, revoked, or expired at `now` (seconds). */
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

/** 256 random bits after the prefix, in characters that a Bearer credential may have (RFC 6750, section 2.1). */
export const randomOpaqueToken = (prefix: string): string =>
  prefix + Base64Url.encode(crypto.getRandomValues(new Uint8Array(32)))

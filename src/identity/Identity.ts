/**
 * The caller, as one request's token proved it.
 *
 * Established for each request anew, never for a session or a connection (MCP 2025-11-25, security best practices).
 */
/** What a verified token says about its bearer. */
export interface Identity {
  /** The `sub` of the token, or the client id of a machine token; never empty. */
  readonly subject: string
  /** The OAuth client that the token was issued to, where the token says so. */
  readonly clientId: string | undefined
  /** The issuer as the token spells it; `static` for static tokens. */
  readonly issuer: string
  readonly scopes: ReadonlyArray<string>
  readonly email: string | undefined
  readonly name: string | undefined
  /** The name of the provider that vouches for this identity. */
  readonly provider: string
  /** When the token ends, in seconds since 1970, or `undefined` when the provider does not say. */
  readonly expiresAt: number | undefined
  /** All claims, as the provider gave them. */
  readonly claims: Readonly<Record<string, unknown>>
}

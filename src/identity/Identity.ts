/**
 * What a verified token says about its bearer: the caller, as this one request proved it.
 *
 * Established for each request anew, never for a session or a connection. A subject is unique to its issuer only: know
 * a caller by both. A verifier of your own makes one of these.
 *
 * **Example** (the bearer of an API key)
 *
 * ```ts
 * import type { Identity } from "mcp-authorizer"
 *
 * const identity: Identity = {
 *   subject: "user-1",
 *   principal: "user",
 *   clientId: undefined,
 *   issuer: "https://notes.example.com",
 *   scopes: ["notes:read"],
 *   email: undefined,
 *   name: undefined,
 *   provider: "api-keys",
 *   expiresAt: undefined,
 *   claims: {}
 * }
 * ```
 *
 * @see MCP 2025-11-25, security best practices; RFC 7519, section 4.1; RFC 7662, section 2.2
 */
export interface Identity {
  /** The `sub` of the token, or the client id of a machine token; never empty. */
  readonly subject: string
  /** Who calls: a person, or a program on its own behalf. `undefined` where a verifier does not say. */
  readonly principal?: "user" | "client" | undefined
  /** The OAuth client that the token was issued to, where the token says so. */
  readonly clientId: string | undefined
  /** The issuer as the token spells it; `static` for static tokens. */
  readonly issuer: string
  /** Each one word (RFC 6749, section 3.3); empty where the token has none. */
  readonly scopes: ReadonlyArray<string>
  readonly email: string | undefined
  /** What the caller is called among people. */
  readonly name: string | undefined
  /** The name of the provider that vouches for this identity. */
  readonly provider: string
  /** When the token ends, in seconds since 1970, or `undefined` when the provider does not say. */
  readonly expiresAt: number | undefined
  /** All claims, as the provider gave them. */
  readonly claims: Readonly<Record<string, unknown>>
}

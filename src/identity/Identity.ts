/**
 * The caller, as described by the verified token of the current request.
 *
 * It is established for each request, never for a session or a connection. A subject is unique only within its issuer, so
 * identify a caller by both. A verifier of your own returns one of these.
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
  /** Whether the caller is a person, or a program on its own behalf; `undefined` if the verifier does not state it. */
  readonly principal?: "user" | "client" | undefined
  /** The OAuth client that the token was issued to, if the token names it. */
  readonly clientId: string | undefined
  /** The issuer as the token spells it; `static` for static tokens. */
  readonly issuer: string
  /** One word each (RFC 6749, section 3.3); empty if the token has no scopes. */
  readonly scopes: ReadonlyArray<string>
  readonly email: string | undefined
  /**
   * Whether the e-mail address counts as the caller's own: the provider states that it is verified, or the operator has
   * vouched for it. Otherwise rules and allow-lists ignore it.
   */
  readonly emailVerified?: boolean | undefined
  readonly name: string | undefined
  readonly provider: string
  /** When the token expires, in seconds since 1970; `undefined` if the provider does not state it. */
  readonly expiresAt: number | undefined
  /**
   * The groups and roles of the caller at the provider, each once. A verifier of your own may leave them out.
   *
   * For rules: they are not forwarded to the MCP server.
   */
  readonly groups?: ReadonlyArray<string> | undefined
  /**
   * The parts of the token that are missing here, because they are too large or the provider did not include them.
   * Rules that use a missing part deny.
   */
  readonly incomplete?: ReadonlyArray<"claims" | "groups"> | undefined
  /** All claims, as the provider sent them; if they exceed 64 KiB, only those that identify the caller. */
  readonly claims: Readonly<Record<string, unknown>>
}

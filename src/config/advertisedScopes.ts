/**
 * Scopes in the spelling in which clients must request them, in the metadata and in challenges.
 *
 * `offline_access` is never among them: a client decides for itself whether it needs a refresh token (MCP 2026-07-28,
 * authorization).
 */
export const advertisedScopes = (scopes: ReadonlyArray<string>): ReadonlyArray<string> =>
  scopes.includes("offline_access") ? scopes.filter((scope) => scope !== "offline_access") : scopes

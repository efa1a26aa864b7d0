/**
 * Scopes as clients must request them, for the metadata and for challenges.
 *
 * `offline_access` is left out: a client decides for itself whether it needs a refresh token (MCP 2026-07-28,
 * authorization).
 */
export const advertisedScopes = (scopes: ReadonlyArray<string>): ReadonlyArray<string> =>
  scopes.includes("offline_access") ? scopes.filter((scope) => scope !== "offline_access") : scopes

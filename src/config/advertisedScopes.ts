/**
 * Scopes as clients are told to ask for them, in the metadata and in challenges.
 *
 * `offline_access` is never among them: whether a client wants a refresh token is its own matter (MCP 2026-07-28,
 * authorization).
 */
export const advertisedScopes = (scopes: ReadonlyArray<string>): ReadonlyArray<string> =>
  scopes.includes("offline_access") ? scopes.filter((scope) => scope !== "offline_access") : scopes

/** Every field in which the gateway names the caller to the MCP server. */
export const identityFields = [
  "x-auth-user-id",
  "x-auth-issuer",
  "x-auth-provider",
  "x-auth-principal",
  "x-auth-client-id",
  "x-auth-scopes",
  "x-auth-email"
] as const

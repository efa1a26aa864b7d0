import { facadeClient, type Preset } from "./Preset.ts"

/**
 * Tokens are opaque. GitHub's user endpoint describes them: the id in its body, client and scopes in response fields.
 */
export const github = {
  name: "github",
  sources: [
    "https://docs.github.com/rest/users/users#get-the-authenticated-user",
    "https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
    "https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps"
  ],
  needs: [{
    fields: ["allowed_clients", "facade"],
    fix:
      "Set it to the Client ID of your OAuth app: without it, a token that a user gave to any other app, and personal " +
      "access tokens, would be accepted"
  }],
  fields: {
    type: "tokeninfo",
    issuer: "https://github.com/login/oauth",
    tokeninfo_endpoint: "https://api.github.com/user",
    subject_claims: ["id"],
    client_claims: ["x-oauth-client-id"],
    scope_claims: ["x-oauth-scopes"]
  },
  derive: facadeClient,
  facade: () => ({
    authorize_endpoint: "https://github.com/login/oauth/authorize",
    token_endpoint: "https://github.com/login/oauth/access_token",
    // GitHub documents client credentials only as parameters.
    client_auth: "post"
  })
} as const satisfies Preset

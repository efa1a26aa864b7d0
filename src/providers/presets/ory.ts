import { offlineAccess, type Preset } from "./Preset.ts"

/**
 * Ory Network and Ory Hydra, with either JWTs (access token strategy `jwt`) or opaque tokens and introspection. `aud`
 * is empty unless the client requested an audience that its registration allows.
 */
export const ory = {
  name: "ory",
  sources: [
    "https://www.ory.sh/docs/oauth2-oidc/jwt-access-token",
    "https://www.ory.sh/docs/hydra/guides/audiences",
    "https://www.ory.sh/docs/oauth2-oidc/refresh-token-grant"
  ],
  needs: [
    { fields: ["issuer"], fix: "Set it to the URL of your project, as in https://your-project.projects.oryapis.com" },
    {
      fields: ["audience", "allowed_clients"],
      fix: "Set it to the audience that clients request and that their registration allows"
    }
  ],
  fields: { type: "oidc", client_claims: ["client_id"], scope_claims: ["scp", "scope"] },
  // Ory issues refresh tokens only if this scope is among those of the facade's registered client.
  facade: offlineAccess
} as const satisfies Preset

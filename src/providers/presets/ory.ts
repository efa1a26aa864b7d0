import type { Preset } from "./Preset.ts"

/** Ory Network and Ory Hydra, with the access token strategy `jwt`. `aud` is empty unless the client requested an audience. */
export const ory = {
  name: "ory",
  sources: ["https://www.ory.sh/docs/oauth2-oidc/jwt-access-token", "https://www.ory.sh/docs/hydra/guides/audiences"],
  needs: [
    { fields: ["issuer"], cure: "Set it to the URL of your project, as in https://your-project.projects.oryapis.com" },
    {
      fields: ["audience", "allowed_clients"],
      cure: "Set it to the audience that clients request and that their registration allows"
    }
  ],
  fields: { type: "oidc", client_claims: ["client_id"], scope_claims: ["scp", "scope"] }
} as const satisfies Preset

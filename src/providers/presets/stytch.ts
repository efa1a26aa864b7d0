import type { Preset } from "./Preset.ts"

/** Connected Apps. `aud` is the id of the project. */
export const stytch = {
  name: "stytch",
  sources: [
    "https://stytch.com/docs/b2b/api/connected-app-access-token",
    "https://stytch.com/docs/connected-apps/resources/faq"
  ],
  needs: [
    {
      fields: ["issuer"],
      fix:
        "Set it to the domain of your project, or to your custom domain, as in https://your-project.customers.stytch.com"
    },
    { fields: ["audience"], fix: "Set it to the Project ID (project-live-…)" }
  ],
  fields: { type: "oidc", client_claims: ["client_id"] }
} as const satisfies Preset

import { baseOf } from "./issuers.ts"
import { facadeClient, type Preset } from "./Preset.ts"

/** Tokens are opaque. A self-managed GitLab needs its own `issuer`. */
export const gitlab = {
  name: "gitlab",
  sources: ["https://docs.gitlab.com/api/oauth2/"],
  needs: [{
    fields: ["allowed_clients", "facade"],
    fix:
      "Set it to the Application ID of your application: without it, a token that a user gave to any other application " +
      "would be accepted"
  }],
  fields: {
    type: "tokeninfo",
    issuer: "https://gitlab.com",
    subject_claims: ["resource_owner_id"],
    client_claims: ["application.uid"],
    scope_claims: ["scope"]
  },
  derive: (given) => ({
    ...facadeClient(given),
    tokeninfo_endpoint: `${baseOf(given("issuer") ?? "https://gitlab.com")}/oauth/token/info`
  })
} as const satisfies Preset

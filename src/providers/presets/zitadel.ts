import { baseOf } from "./issuers.ts"
import { openIdOffline, type Preset } from "./Preset.ts"

/** Applications must issue JWTs (Token Settings), which have the ids of the project and its applications in `aud`. */
export const zitadel = {
  name: "zitadel",
  sources: [
    "https://zitadel.com/docs/apis/openidoauth/claims",
    "https://zitadel.com/docs/apis/openidoauth/endpoints",
    "https://zitadel.com/docs/apis/openidoauth/scopes"
  ],
  needs: [
    { fields: ["issuer"], fix: "Set it to the domain of your instance, as in https://your-instance.zitadel.cloud" },
    {
      fields: ["audience"],
      fix: "Set it to the id of the project that stands for the MCP server, or of its application"
    }
  ],
  fields: { type: "oidc", client_claims: ["client_id", "azp"] },
  derive: (given) => {
    const issuer = given("issuer")
    return issuer === undefined ? {} : { introspection_endpoint: `${baseOf(issuer)}/oauth/v2/introspect` }
  },
  // Refresh tokens must be switched on in the application.
  facade: openIdOffline
} as const satisfies Preset

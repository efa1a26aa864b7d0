import { withSlash } from "./issuers.ts"
import type { Preset } from "./Preset.ts"

/** The issuer ends in a slash. `azp` names the client in the profile of Auth0, `client_id` in that of RFC 9068. */
export const auth0 = {
  name: "auth0",
  sources: [
    "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
    "https://auth0.com/docs/secure/tokens/access-tokens/validate-access-tokens"
  ],
  needs: [{
    fields: ["issuer"],
    fix: "Set it to the domain of your tenant, or to your custom domain, as in https://your-tenant.eu.auth0.com/"
  }],
  fields: { type: "oidc", audience: ["auto"], client_claims: ["azp", "client_id"] },
  complete: (given) => {
    const issuer = given("issuer")
    return issuer === undefined ? {} : { issuer: withSlash(issuer) }
  }
} as const satisfies Preset

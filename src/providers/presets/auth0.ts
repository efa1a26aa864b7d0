import { withSlash } from "./issuers.ts"
import type { FacadeFacts, GivenValue, Preset } from "./Preset.ts"

/**
 * Auth0 selects the API by `audience`, or by `resource` if the tenant has the Resource Parameter Compatibility Profile.
 * Without either, access tokens are opaque.
 */
const facade = (given: GivenValue): FacadeFacts => {
  const [audience = "auto", ...others] = given("audience") ?? []
  return {
    scopes: ["offline_access"],
    authorize_parameters: { audience: [audience, ...others].includes("auto") ? "{resource}" : audience }
  }
}

/**
 * The issuer ends with a slash. `azp` names the client in Auth0's own token profile, `client_id` in that of RFC 9068.
 */
export const auth0 = {
  name: "auth0",
  sources: [
    "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
    "https://auth0.com/docs/secure/tokens/access-tokens/validate-access-tokens",
    "https://auth0.com/docs/secure/tokens/access-tokens/get-access-tokens",
    "https://auth0.com/docs/secure/tokens/refresh-tokens/get-refresh-tokens",
    "https://auth0.com/ai/docs/mcp/guides/resource-param-compatibility-profile"
  ],
  needs: [{
    fields: ["issuer"],
    fix: "Set it to the domain of your tenant, or to your custom domain, as in https://your-tenant.eu.auth0.com/"
  }],
  fields: { type: "oidc", audience: ["auto"], client_claims: ["azp", "client_id"] },
  complete: (given) => {
    const issuer = given("issuer")
    return issuer === undefined ? {} : { issuer: withSlash(issuer) }
  },
  facade
} as const satisfies Preset

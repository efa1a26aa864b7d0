import type { Preset } from "./Preset.ts"

/** PingOne. Outside North America `issuer` has another domain, such as `https://auth.pingone.eu/{tenantid}/as`. */
export const ping = {
  name: "ping",
  sources: [
    "https://developer.pingidentity.com/pingone-api/foundations/authentication-concepts/access-tokens-and-id-tokens/token-claims.html",
    "https://developer.pingidentity.com/pingone-api/platform/resources.html"
  ],
  needs: [{ fields: ["tenants", "issuer"], fix: "Set it to the Environment ID of your PingOne environment" }],
  fields: {
    type: "oidc",
    issuer: "https://auth.pingone.com/{tenantid}/as",
    audience: ["auto"],
    client_claims: ["client_id"]
  }
} as const satisfies Preset

import { withSlash } from "./issuers.ts"
import { type GivenValue, openIdOffline, type Preset, type PresetMistake } from "./Preset.ts"

const withoutApplication = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const issuer = given("issuer")
  return issuer === undefined || /\/application\/o\/[^/]+\/?$/.test(issuer) ? [] : [{
    field: "issuer",
    problem: "names no application of authentik",
    fix: "Write https://your-host/application/o/your-application/, as the page of the provider shows it (OpenID " +
      "Configuration Issuer)"
  }]
}

/** Each application has its own issuer, which ends in a slash; the client id is the audience. */
export const authentik = {
  name: "authentik",
  sources: [
    "https://docs.goauthentik.io/add-secure-apps/providers/oauth2/",
    "https://docs.goauthentik.io/add-secure-apps/providers/oauth2/create-oauth2-provider/"
  ],
  needs: [
    {
      fields: ["issuer"],
      fix:
        "Set it to the OpenID Configuration Issuer of the provider, as in https://your-host/application/o/your-application/"
    },
    { fields: ["audience"], fix: "Set it to the Client ID of the provider, which its tokens have in aud" }
  ],
  fields: { type: "oidc", client_claims: ["azp", "client_id"] },
  complete: (given) => {
    const issuer = given("issuer")
    return issuer === undefined ? {} : { issuer: withSlash(issuer) }
  },
  // The provider must have the scope mapping of `offline_access`.
  facade: openIdOffline,
  mistakes: withoutApplication
} as const satisfies Preset

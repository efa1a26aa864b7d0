import { type GivenValue, offlineAccess, type Preset, type PresetMistake } from "./Preset.ts"

const isOrgServer = (issuer: string): boolean => !/\/oauth2\/[^/]+\/?$/.test(issuer)

/** Reports Okta's org authorization server: only Okta itself can verify its tokens. */
const orgServer = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const issuer = given("issuer")
  return issuer === undefined || !isOrgServer(issuer) ? [] : [{
    field: "issuer",
    problem:
      "is Okta's org authorization server, whose access tokens are for Okta's own API and cannot be verified by others",
    fix:
      "Use a custom authorization server (Security, API), as in https://your-org.okta.com/oauth2/default, which needs the " +
      "licence for API Access Management"
  }]
}

/**
 * `sub` is the login name, which can change; `uid` is the id of the user. Programs have only `sub`, which is their
 * client id.
 */
export const okta = {
  name: "okta",
  sources: [
    "https://developer.okta.com/docs/guides/validate-access-tokens/",
    "https://developer.okta.com/docs/concepts/auth-servers/",
    "https://developer.okta.com/docs/guides/refresh-tokens/main/"
  ],
  needs: [{
    fields: ["issuer"],
    fix: "Set it to the Issuer URI of your custom authorization server, as in https://your-org.okta.com/oauth2/default"
  }],
  fields: {
    type: "oidc",
    audience: ["auto"],
    subject_claims: ["uid", "sub"],
    client_claims: ["cid"],
    scope_claims: ["scp"]
  },
  facade: offlineAccess,
  mistakes: orgServer
} as const satisfies Preset

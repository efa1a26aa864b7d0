import type { Preset } from "./Preset.ts"

/**
 * In Clerk's settings for OAuth applications, access tokens must be JWTs. Their `typ` is `at+jwt`; tokens of browser
 * sessions, which have the same issuer and keys but another `typ`, must not be accepted.
 */
export const clerk = {
  name: "clerk",
  sources: [
    "https://clerk.com/docs/guides/development/machine-auth/token-formats",
    "https://clerk.com/docs/oauth/oauth-verify-tokens"
  ],
  needs: [{
    fields: ["issuer"],
    fix: "Set it to the Frontend API URL of your instance, as in https://your-instance.clerk.accounts.dev"
  }],
  fields: { type: "oidc", require_at_jwt: true, client_claims: ["client_id"] }
} as const satisfies Preset

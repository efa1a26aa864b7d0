import { facadeClient, type Preset } from "./Preset.ts"

/**
 * Google's access tokens are opaque, and valid for all Google APIs: only the client shows which service a token was
 * issued for.
 */
export const google = {
  name: "google",
  sources: [
    "https://cloud.google.com/docs/authentication/token-types",
    "https://developers.google.com/identity/openid-connect/openid-connect"
  ],
  needs: [{
    fields: ["allowed_clients", "facade"],
    fix:
      "Set it to the client ids (….apps.googleusercontent.com) of your OAuth clients: without it, a token that a user gave " +
      "to any application in the world would be accepted"
  }],
  fields: {
    type: "tokeninfo",
    issuer: "https://accounts.google.com",
    tokeninfo_endpoint: "https://oauth2.googleapis.com/tokeninfo",
    tokeninfo_parameter: "access_token",
    client_claims: ["azp", "aud"],
    // Without this scope, Google does not name the user.
    required_scopes: ["openid"]
  },
  derive: facadeClient,
  // Without these parameters, Google issues refresh tokens never, or only on the first consent.
  facade: () => ({
    scopes: ["openid", "email"],
    authorize_parameters: { access_type: "offline", prompt: "consent" }
  })
} as const satisfies Preset

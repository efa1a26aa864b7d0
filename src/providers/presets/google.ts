import { facadeClient, type Preset } from "./Preset.ts"

/**
 * Google's access tokens are opaque, and the same for all Google APIs: only the client shows for whom a token was
 * issued.
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
    // Without it, Google does not name the user.
    required_scopes: ["openid"]
  },
  derive: facadeClient,
  // Otherwise there are no refresh tokens, or only the first time.
  facade: () => ({
    scopes: ["openid", "email"],
    authorize_parameters: { access_type: "offline", prompt: "consent" }
  })
} as const satisfies Preset

import type { UserinfoProvider } from "../config/GatewaySettings.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import {
  allowedDomains,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "../config/providers/providerParts.ts"
import { exampleWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import type { ProviderType } from "./ProviderType.ts"

/** Opaque tokens, verified by asking the issuer's userinfo endpoint with the token itself. */
export const userinfo: ProviderType<UserinfoProvider> = {
  name: "userinfo",
  fields: [
    "issuer",
    "discovery_url",
    "require_verified_email",
    "hosts",
    "allow_http",
    "userinfo_endpoint"
  ],
  resolve: (fields) => {
    const issuer = readIssuer(fields, "userinfo")
    const endpoint = fields.read("userinfo_endpoint")
    const discovery = readDiscoveryUrl(fields)
    const rest = {
      ...readCommon(fields, "userinfo"),
      ...readIdentityRules(fields),
      ...discovery,
      allowedDomains: allowedDomains(fields, [
        ["issuer", issuer],
        ["userinfo_endpoint", endpoint],
        ["discovery_url", discovery.discoveryUrl]
      ])
    }
    if (issuer === undefined) return undefined
    return endpoint === undefined
      ? { ...rest, issuer, userinfoEndpoint: `${withoutSlash(issuer)}/oauth/userinfo`, endpointIsGuess: true }
      : { ...rest, issuer, userinfoEndpoint: endpoint }
  },
  describe: ({ discoveryUrl, endpointIsGuess, issuer, requireVerifiedEmail, userinfoEndpoint }) => ({
    issuer,
    ...(discoveryUrl === undefined ? {} : { discovery_url: discoveryUrl }),
    userinfo_endpoint: endpointIsGuess === true
      ? `${userinfoEndpoint} (or from the issuer's discovery document)`
      : userinfoEndpoint,
    require_verified_email: requireVerifiedEmail
  }),
  warnings: ({ issuer, requiredScopes }, { settings }) => [
    ...exampleWarnings([issuer]),
    "a userinfo answer proves who the caller is but not for whom the token was issued, so that tokens for other " +
    "services of the same issuer are accepted. Use introspection or JWTs where the issuer offers them.",
    ...(settings.requiredScopes.length === 0 && requiredScopes.length === 0 ? [] : [
      "scopes are required, but a userinfo answer does not tell the token's scopes: every token will be refused."
    ])
  ],
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata
}

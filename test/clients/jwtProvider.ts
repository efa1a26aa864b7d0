import type { JwtProvider } from "../../src/config/GatewaySettings.ts"

/** The settings of an issuer of JWTs whose keys are found by discovery. */
export const jwtProvider = (
  issuer: string,
  audience: string,
  overrides: Partial<JwtProvider> = {}
): JwtProvider => ({
  type: "oidc",
  name: "corporate",
  issuer,
  audience: [audience],
  allowedClients: [],
  requireVerifiedEmail: false,
  keys: { _tag: "Discovery" },
  algorithms: ["RS256"],
  requireAccessTokenType: false,
  endpoints: { authorize: undefined, token: undefined, userinfo: undefined },
  requiredScopes: [],
  tokenPrefix: undefined,
  allowedDomains: [],
  ...overrides
})

import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Provider } from "../config/GatewaySettings.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import {
  claimFields,
  describeClaimFields,
  describeOptional,
  readClaimFields,
  readOptional
} from "../config/providers/claimFields.ts"
import { allowedDomains, readCommon, readIssuer } from "../config/providers/providerParts.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { type CheckedClaims, userRule } from "../verify/claims/claimRules.ts"
import { identityFromUserinfo, type IdentityRules } from "../verify/claims/identity.ts"
import { checkUserinfo } from "../verify/claims/tokenKind.ts"
import { makeGuessedHttp } from "../verify/opaque/discoveredHttp.ts"
import type { OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import type { Probe } from "../verify/opaque/Reachability.ts"
import { rejection } from "../verify/Rejection.ts"
import type { TokenRule } from "../verify/TokenRule.ts"
import { describedRule, present, probeBearer } from "./bearerRequest.ts"
import { exampleWarnings, subjectWarnings } from "./issuerWarnings.ts"
import { checkedResponse, makeOpaque, opaqueType } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider whose userinfo endpoint verifies its tokens. */
export interface UserinfoProvider extends Provider, IdentityRules {
  readonly type: "userinfo"
  readonly userinfoEndpoint: string
  /**
   * Whether the endpoint is not configured but guessed. If the guess does not respond usably, the endpoint in the
   * metadata is used.
   */
  readonly endpointIsGuess?: boolean | undefined
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
}

type Http = ProviderHttp["Service"]

const withoutSubject = rejection("MissingClaim", "userinfo has no usable sub; the token may lack the scope openid")

type UserinfoRule = TokenRule<CheckedClaims>

const kindRule: UserinfoRule = {
  name: "kind",
  check: ({ claims }) => checkUserinfo(claims),
  expected: () => "an access token",
  found: (token) => kindRule.check(token)?.detail ?? "the response does not say that it is another kind of token"
}

const subjectRule: UserinfoRule = {
  ...userRule,
  check: (token) => userRule.check(token) === undefined ? undefined : withoutSubject
}

const endpointOf = ({ allowHttp, allowedDomains, userinfoEndpoint: url }: UserinfoProvider) => ({
  url,
  allowedDomains,
  allowHttp
})

/**
 * Builds the verification of tokens at the userinfo endpoint (OpenID Connect Core 1.0, section 5.3).
 *
 * The response names the caller, but neither the audience nor the scopes of the token. So every token of the issuer is
 * accepted, and has no scopes. A token is rejected by the statuses 400, 401 and 403, by an error in the response, and
 * by a response without a usable `sub`, which issuers send for tokens without the scope `openid`. Every other response
 * is a failure of the provider.
 */
const makeVerification = (
  provider: UserinfoProvider,
  http: Http,
  { clockSkewSeconds: skew }: RegistrationContext
): OpaqueVerification<CheckedClaims> => ({
  name: provider.name,
  span: "mcp-authorizer.userinfo",
  expected: `a response about the caller from ${provider.userinfoEndpoint}`,
  request: present(provider.name, "userinfo", http, endpointOf(provider)),
  rules: [describedRule("userinfo"), kindRule],
  checked: ({ body }, nowMillis) =>
    checkedResponse(body, { ...provider, audience: [], allowedClients: [] }, nowMillis, skew),
  identify: (claims) => Result.mapError(identityFromUserinfo(claims, provider), () => withoutSubject),
  identityRules: [subjectRule],
  settings: { issuer: provider.issuer }
})

/**
 * Builds the client for the configured endpoint, or for the guessed one and, if that fails, the one in the metadata.
 */
const makeHttp = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const plain = yield* ProviderHttp
  return provider.endpointIsGuess === true
    ? makeGuessedHttp(plain, yield* ProviderMetadata, provider, "userinfo_endpoint")
    : plain
})

/** Builds the probe, which presents a made-up token: a healthy endpoint rejects it. */
const makeProbe = (provider: UserinfoProvider, http: Http): Probe => probeBearer(http, endpointOf(provider))

const opaque = makeOpaque({ makeHttp, makeProbe, makeVerification })

const optional = { discovery_url: "discoveryUrl" } as const

/** The type for opaque tokens that the issuer's userinfo endpoint verifies. */
export const userinfo: ProviderType<UserinfoProvider> = {
  ...opaqueType,
  name: "userinfo",
  // No scope settings: the response does not contain the token's scopes.
  fields: [
    "issuer",
    "discovery_url",
    ...claimFields.filter((field) => field !== "scope_claims"),
    "hosts",
    "allow_http",
    "userinfo_endpoint"
  ],
  resolve: (fields) => {
    const issuer = readIssuer(fields, "userinfo")
    const endpoint = fields.read("userinfo_endpoint")
    const discovery = readOptional(fields, optional)
    const rest = {
      ...readCommon(fields, "userinfo"),
      ...readClaimFields(fields),
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
  describe: (provider) => ({
    issuer: provider.issuer,
    ...describeOptional(optional, provider),
    userinfo_endpoint: provider.endpointIsGuess === true
      ? `${provider.userinfoEndpoint} (or from the issuer's discovery document)`
      : provider.userinfoEndpoint,
    ...describeClaimFields(provider)
  }),
  warnings: ({ issuer, requiredScopes, subjectClaims }, { settings }) => [
    ...exampleWarnings([issuer]),
    ...subjectWarnings({ subjectClaims }),
    "a userinfo response proves who the caller is but not for whom the token was issued, so that tokens for other " +
    "services of the same issuer are accepted. Use introspection or JWTs where the issuer offers them.",
    ...(settings.requiredScopes.length === 0 && requiredScopes.length === 0 ? [] : [
      "scopes are required, but a userinfo response does not contain the token's scopes: every token will be rejected."
    ])
  ],
  onlineChecks: (provider) => [{
    _tag: "Endpoint",
    name: "userinfo",
    good: `the endpoint of ${provider.issuer} responds, and rejects a made-up token`,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

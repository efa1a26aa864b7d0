import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Provider } from "../config/GatewaySettings.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import {
  allowedDomains,
  describeIdentityRules,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "../config/providers/providerParts.ts"
import { show } from "../errors/show.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { CheckedClaims } from "../verify/claims/claimRules.ts"
import { identityFromUserinfo, type IdentityRules } from "../verify/claims/identity.ts"
import { readUser } from "../verify/claims/subject.ts"
import { checkUserinfo } from "../verify/claims/tokenKind.ts"
import { makeGuessedHttp } from "../verify/opaque/discoveredHttp.ts"
import type { OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import { reportsOutage } from "../verify/opaque/providerRejection.ts"
import type { Probe } from "../verify/opaque/Reachability.ts"
import { rejection } from "../verify/Rejection.ts"
import type { TokenRule } from "../verify/TokenRule.ts"
import { unavailable } from "../verify/unavailable.ts"
import { describedRule, failureOf, probeBearer } from "./bearerRequest.ts"
import { exampleWarnings, subjectWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import { makeOpaque } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider whose userinfo endpoint verifies its tokens. */
export interface UserinfoProvider extends Provider, IdentityRules {
  readonly type: "userinfo"
  readonly userinfoEndpoint: string
  /** The endpoint is not configured. If the default URL does not respond usably, the endpoint of the metadata is used. */
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

const makeSubjectRule = (provider: UserinfoProvider): UserinfoRule => ({
  name: "subject",
  check: ({ claims }) => identityFromUserinfo(claims, provider) === undefined ? withoutSubject : undefined,
  expected: () => (provider.subjectClaims ?? ["sub"]).join(" or "),
  found: ({ claims }) =>
    Result.match(readUser(claims, provider), {
      onFailure: ({ detail }) => detail,
      onSuccess: (subject) => show(subject)
    })
})

/**
 * Builds the verification of tokens at the userinfo endpoint (OpenID Connect Core 1.0, section 5.3).
 *
 * The response names the caller, but neither the audience nor the scopes of the token: any token of the issuer is
 * accepted, and has no scopes. Statuses 400, 401 and 403 reject a token, and so does a response with an error or without
 * a usable `sub`, as issuers send it for a token without the scope `openid`. Every other response is a failure of the
 * provider.
 */
const makeVerification = (
  provider: UserinfoProvider,
  http: Http,
  { clockSkewSeconds: skew }: RegistrationContext
): OpaqueVerification<CheckedClaims> => {
  const { allowHttp, allowedDomains, name, userinfoEndpoint } = provider
  return {
    name,
    span: "mcp-authorizer.userinfo",
    expected: `a response about the caller from ${userinfoEndpoint}`,
    request: Effect.fnUntraced(
      function*(token) {
        const response = yield* http.send({
          url: userinfoEndpoint,
          allowedDomains,
          allowHttp,
          authorization: Redacted.make(`Bearer ${Redacted.value(token)}`)
        })
        return reportsOutage(response.body)
          ? yield* unavailable(name, "userinfo returned 200 and reported an outage")
          : response
      },
      Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(failureOf(name, "userinfo", failure)))
    ),
    rules: [describedRule("userinfo"), kindRule],
    checked: ({ body }, nowMillis) => ({
      claims: body,
      rules: { audience: [], allowedClients: [] },
      now: nowMillis / 1000,
      skew,
      requireExpiry: false,
      typ: undefined,
      isAccessType: false
    }),
    identify: (claims) => {
      const identity = identityFromUserinfo(claims, provider)
      return identity === undefined ? Result.fail(withoutSubject) : Result.succeed(identity)
    },
    identityRules: [makeSubjectRule(provider)],
    settings: { issuer: provider.issuer }
  }
}

/** The client for the configured endpoint, or for the default one and, if that fails, for the one of the metadata. */
const makeHttp = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const plain = yield* ProviderHttp
  return provider.endpointIsGuess === true
    ? makeGuessedHttp(plain, yield* ProviderMetadata, provider, "userinfo_endpoint")
    : plain
})

/** Sends a token that does not exist: a healthy endpoint rejects it. */
const makeProbe = ({ allowHttp, allowedDomains, userinfoEndpoint: url }: UserinfoProvider, http: Http): Probe =>
  probeBearer(http, { url, allowedDomains, allowHttp })

const opaque = makeOpaque({ makeHttp, makeProbe, makeVerification })

/** The type for opaque tokens that the issuer's userinfo endpoint verifies. */
export const userinfo: ProviderType<UserinfoProvider> = {
  name: "userinfo",
  fields: [
    "issuer",
    "discovery_url",
    "require_verified_email",
    "subject_claims",
    "client_claims",
    "scopes_requested",
    "group_claims",
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
  describe: ({ discoveryUrl, endpointIsGuess, issuer, userinfoEndpoint, ...rules }) => ({
    issuer,
    ...(discoveryUrl === undefined ? {} : { discovery_url: discoveryUrl }),
    userinfo_endpoint: endpointIsGuess === true
      ? `${userinfoEndpoint} (or from the issuer's discovery document)`
      : userinfoEndpoint,
    ...describeIdentityRules(rules)
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
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata,
  onlineChecks: (provider) => [{
    _tag: "Endpoint",
    name: "userinfo",
    good: `the endpoint of ${provider.issuer} responds, and rejects a made-up token`,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

import type { Provider } from "../config/GatewaySettings.ts"
import { describeOptional, readOptional } from "../config/providers/claimFields.ts"
import {
  audienceForResource,
  describeTokenFields,
  readIssuer,
  readTokenFields,
  tokenFields
} from "../config/providers/providerParts.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { ProviderHttp, type ProviderResponse } from "../remote/ProviderHttp.ts"
import type { AudienceRules } from "../verify/claims/audience.ts"
import {
  audienceRule,
  type CheckedClaims,
  clientRule,
  scopesRule,
  timesRule,
  userRule
} from "../verify/claims/claimRules.ts"
import { identityFromTokeninfo, type IdentityRules } from "../verify/claims/identity.ts"
import { checkIsBearer, checkUserinfo } from "../verify/claims/tokenKind.ts"
import type { OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import type { TokenRule } from "../verify/TokenRule.ts"
import { describedRule, present, probeBearer } from "./bearerRequest.ts"
import { tokenWarnings } from "./issuerWarnings.ts"
import { checkedResponse, makeOpaque, opaqueType } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider with a proprietary endpoint that describes the presented token. */
export interface TokeninfoProvider extends Provider, IdentityRules, AudienceRules {
  readonly type: "tokeninfo"
  readonly tokeninfoEndpoint: string
  /** The form parameter for the token; `undefined` to send GET with a bearer token. */
  readonly tokeninfoParameter?: string | undefined
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
}

type Http = ProviderHttp["Service"]

// Names of response fields begin like this, and no names of claims do.
const isField = (name: string): boolean => name.startsWith("x-")

const wholeNumber = /^[0-9]{1,15}$/

/** Some providers write numbers as strings. */
const numberOf = (value: unknown): unknown =>
  typeof value === "string" && wholeNumber.test(value) ? Number(value) : value

/** Returns the expiry of the token, which providers state as a time or as the remaining seconds. */
const endOf = (body: JsonObject, now: number): unknown => {
  const exp = numberOf(own(body, "exp"))
  if (exp !== undefined) return exp
  const left = numberOf(own(body, "expires_in") ?? own(body, "expires_in_seconds"))
  return typeof left === "number" ? now + left : left
}

/**
 * Returns the claims of a description: its members, and the response fields that settings name as claims (such as
 * `x-oauth-scopes`). Members with the name of such a field are ignored, because only the field is trusted.
 *
 * @param now in seconds since 1970
 */
const claimsOf = (
  { body, headers = {} }: ProviderResponse,
  { clientClaims = [], scopeClaims = [], subjectClaims = [] }: TokeninfoProvider,
  now: number
): JsonObject => {
  const fields = [...clientClaims, ...subjectClaims, ...scopeClaims].filter(isField)
  const fromFields = fields.map((name) => {
    const value = headers[name]
    return [name, scopeClaims.includes(name) ? value?.replaceAll(",", " ") : value]
  })
  const { exp: _exp, iat, ...claims } = body
  const end = endOf(body, now)
  return {
    ...claims,
    ...(iat === undefined ? {} : { iat: numberOf(iat) }),
    ...(end === undefined ? {} : { exp: end }),
    ...Object.fromEntries(fromFields)
  }
}

const kindRule: TokenRule<CheckedClaims> = {
  name: "kind",
  check: ({ claims }) => checkUserinfo(claims) ?? checkIsBearer(claims),
  expected: () => "an access token that anyone may present (a bearer token)",
  found: (token) => kindRule.check(token)?.detail ?? "the description does not say that it is another kind of token"
}

const endpointOf = (
  { allowHttp, allowedDomains, tokeninfoEndpoint: url, tokeninfoParameter: parameter }: TokeninfoProvider
) => ({ url, allowedDomains, allowHttp, parameter })

/**
 * Builds the verification of tokens by the provider's description of them.
 *
 * The token is rejected by certain statuses, or by an error in the description. Times, audience, client and scopes in
 * the description are then checked as for JWTs. The description must name a user; a client does not replace one.
 */
const makeVerification = (
  provider: TokeninfoProvider,
  http: Http,
  { clockSkewSeconds: skew }: RegistrationContext
): OpaqueVerification<CheckedClaims> => ({
  name: provider.name,
  span: "mcp-authorizer.tokeninfo",
  expected: `a description of the token from ${provider.tokeninfoEndpoint}`,
  request: present(provider.name, "tokeninfo", http, endpointOf(provider)),
  rules: [describedRule("tokeninfo"), kindRule, timesRule, audienceRule, clientRule],
  checked: (response, nowMillis) =>
    checkedResponse(claimsOf(response, provider, nowMillis / 1000), provider, nowMillis, skew),
  identify: (claims) => identityFromTokeninfo(claims, provider),
  identityRules: [userRule, scopesRule],
  settings: provider
})

const opaque = makeOpaque<TokeninfoProvider, ProviderHttp, CheckedClaims>({
  makeHttp: () => ProviderHttp,
  makeProbe: (provider, http) => probeBearer(http, endpointOf(provider)),
  makeVerification
})

const optional = { discovery_url: "discoveryUrl", tokeninfo_parameter: "tokeninfoParameter" } as const

/** The type for opaque tokens of providers with a proprietary endpoint that describes them: Google, GitHub, GitLab. */
export const tokeninfo: ProviderType<TokeninfoProvider> = {
  ...opaqueType,
  name: "tokeninfo",
  fields: [...tokenFields, "discovery_url", "tokeninfo_endpoint", "tokeninfo_parameter"],
  identifiedBy: ["tokeninfo_endpoint"],
  isMeantBy: (given) => given.has("tokeninfo_endpoint"),
  resolve: (fields, context) => {
    const issuer = readIssuer(fields, "tokeninfo")
    const tokeninfoEndpoint = fields.read("tokeninfo_endpoint")
    const given = readOptional(fields, optional)
    const rest = readTokenFields(fields, "tokeninfo", context, [
      ["issuer", issuer],
      ["tokeninfo_endpoint", tokeninfoEndpoint],
      ["discovery_url", given.discoveryUrl]
    ])
    if (!fields.given.has("tokeninfo_endpoint")) {
      fields.report("tokeninfo_endpoint", {
        problem: "is missing; a provider of type tokeninfo needs it",
        fix: "Set it to the URL at which the provider describes the token that a request presents"
      })
    }
    return issuer === undefined || tokeninfoEndpoint === undefined
      ? undefined
      : { ...rest, ...given, issuer, tokeninfoEndpoint }
  },
  describe: (provider) => ({
    ...describeTokenFields(provider),
    tokeninfo_endpoint: provider.tokeninfoEndpoint,
    ...describeOptional(optional, provider)
  }),
  warnings: tokenWarnings,
  forResource: audienceForResource,
  onlineChecks: (provider) => [{
    _tag: "Endpoint",
    name: "tokeninfo",
    good: `${provider.tokeninfoEndpoint} responds, and rejects a made-up token`,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

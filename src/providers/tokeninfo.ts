import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import {
  allowedClients,
  allowedDomains,
  audience,
  audienceForResource,
  describeIdentityRules,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "../config/providers/providerParts.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { ProviderHttp, type ProviderResponse } from "../remote/ProviderHttp.ts"
import { traced } from "../trace/spans.ts"
import { type AudienceRules, checkAudience } from "../verify/claims/audience.ts"
import { checkClient } from "../verify/claims/client.ts"
import { identityFromTokeninfo, type IdentityRules } from "../verify/claims/identity.ts"
import { checkIsBearer, checkUserinfo } from "../verify/claims/tokenKind.ts"
import { checkValidity } from "../verify/claims/validity.ts"
import { reportsOutage } from "../verify/opaque/providerRejection.ts"
import type { QueryProvider } from "../verify/opaque/VerifyOpaque.ts"
import { type Rejection, rejection, toInvalidToken } from "../verify/Rejection.ts"
import { unavailable } from "../verify/unavailable.ts"
import { failureOf, presenting, probeBearer, reportsRejection } from "./bearerRequest.ts"
import { audienceWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import { makeOpaque } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider with an endpoint of its own design that describes the token with which it is requested. */
export interface TokeninfoProvider extends Provider, IdentityRules, AudienceRules {
  readonly type: "tokeninfo"
  readonly tokeninfoEndpoint: string
  /** The parameter of a form that contains the token. `undefined`: GET with a bearer token. */
  readonly tokeninfoParameter: string | undefined
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
}

type Http = ProviderHttp["Service"]

// Fields of a response have names that no claim has.
const isField = (name: string): boolean => name.startsWith("x-")

const wholeNumber = /^[0-9]{1,15}$/

/** Some providers write numbers as strings. */
const numberOf = (value: unknown): unknown =>
  typeof value === "string" && wholeNumber.test(value) ? Number(value) : value

/** Returns the end of the token: as a time, or from the seconds that are left of it. */
const endOf = (body: JsonObject, now: number): unknown => {
  const exp = numberOf(own(body, "exp"))
  if (exp !== undefined) return exp
  const left = numberOf(own(body, "expires_in") ?? own(body, "expires_in_seconds"))
  return typeof left === "number" ? now + left : left
}

/**
 * Returns the claims of a description: its members, and those fields of the response that settings name as claims
 * (`x-oauth-scopes`). Members with the name of such a field are ignored.
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

/**
 * Builds the function that verifies a token by the provider's description of it.
 *
 * A status that rejects the token, or an error in the description, rejects it. The times, audience, client and scopes that
 * the description names are then checked as for JWTs. It must name a user: no client replaces one.
 *
 * @param skew tolerance for times, in seconds
 */
const makeQuery = (
  provider: TokeninfoProvider,
  http: Http,
  { clockSkewSeconds: skew }: RegistrationContext
): QueryProvider => {
  const { allowHttp, allowedClients, allowedDomains, name, tokeninfoEndpoint: url, tokeninfoParameter } = provider
  const reject = (reason: Rejection) => toInvalidToken(name, reason)

  const check = (claims: JsonObject, now: number): Rejection | undefined =>
    checkUserinfo(claims) ?? checkIsBearer(claims) ?? checkValidity(claims, { now, skew, requireExpiry: false }) ??
      checkAudience(claims, provider) ?? checkClient(claims, allowedClients, provider)

  return Effect.fnUntraced(
    function*(token) {
      const response = yield* http.send({ url, allowedDomains, allowHttp, ...presenting(token, tokeninfoParameter) })
      if (reportsOutage(response.body)) {
        return yield* unavailable(name, "tokeninfo returned 200 and reported an outage")
      }
      if (reportsRejection(response.body)) {
        return yield* reject(rejection("Inactive", "tokeninfo returned 200 with an error"))
      }
      const now = (yield* Clock.currentTimeMillis) / 1000
      const claims = claimsOf(response, provider, now)
      const rejected = check(claims, now)
      if (rejected !== undefined) return yield* reject(rejected)
      return yield* Effect.mapError(Effect.fromResult(identityFromTokeninfo(claims, provider)), reject)
    },
    Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(failureOf(name, "tokeninfo", failure))),
    (query) => traced("mcp-authorizer.tokeninfo", () => ({ "mcp_authorizer.provider": name }), query)
  )
}

const opaque = makeOpaque<TokeninfoProvider, ProviderHttp>({
  makeHttp: () => ProviderHttp,
  makeProbe: ({ allowHttp, allowedDomains, tokeninfoEndpoint: url, tokeninfoParameter }, http) =>
    probeBearer(http, { url, allowedDomains, allowHttp }, tokeninfoParameter),
  makeQuery
})

/** The type for opaque tokens of providers with an endpoint of their own that describes them: Google, GitHub, GitLab. */
export const tokeninfo: ProviderType<TokeninfoProvider> = {
  name: "tokeninfo",
  fields: [
    "issuer",
    "audience",
    "allowed_clients",
    "discovery_url",
    "require_verified_email",
    "subject_claims",
    "client_claims",
    "scope_claims",
    "scopes_requested",
    "group_claims",
    "hosts",
    "allow_http",
    "tokeninfo_endpoint",
    "tokeninfo_parameter"
  ],
  identifiedBy: ["tokeninfo_endpoint"],
  isMeantBy: (given) => given.has("tokeninfo_endpoint"),
  resolve: (fields, context) => {
    const issuer = readIssuer(fields, "tokeninfo")
    const tokeninfoEndpoint = fields.read("tokeninfo_endpoint")
    const discovery = readDiscoveryUrl(fields)
    const rest = {
      ...readCommon(fields, "tokeninfo"),
      ...readIdentityRules(fields),
      ...discovery,
      tokeninfoParameter: fields.read("tokeninfo_parameter"),
      audience: audience(fields, context),
      allowedClients: allowedClients(fields),
      allowedDomains: allowedDomains(fields, [
        ["issuer", issuer],
        ["tokeninfo_endpoint", tokeninfoEndpoint],
        ["discovery_url", discovery.discoveryUrl]
      ])
    }
    if (!fields.given.has("tokeninfo_endpoint")) {
      fields.report("tokeninfo_endpoint", {
        problem: "is missing; a provider of type tokeninfo needs it",
        cure: "Set it to the URL at which the provider describes the token that a request presents"
      })
    }
    return issuer === undefined || tokeninfoEndpoint === undefined ? undefined : { ...rest, issuer, tokeninfoEndpoint }
  },
  describe: (provider) => ({
    issuer: provider.issuer,
    audience: provider.audience,
    allowed_clients: provider.allowedClients,
    ...(provider.discoveryUrl === undefined ? {} : { discovery_url: provider.discoveryUrl }),
    tokeninfo_endpoint: provider.tokeninfoEndpoint,
    ...(provider.tokeninfoParameter === undefined ? {} : { tokeninfo_parameter: provider.tokeninfoParameter }),
    ...describeIdentityRules(provider)
  }),
  warnings: (provider, { settings }) => audienceWarnings(provider, settings),
  forResource: audienceForResource,
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata,
  onlineChecks: (provider) => [{
    _tag: "Endpoint",
    name: "tokeninfo",
    good: `${provider.tokeninfoEndpoint} responds, and rejects a made-up token`,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import { describeOptional, readOptional } from "../config/providers/claimFields.ts"
import {
  audienceForResource,
  describeTokenFields,
  readIssuer,
  readTokenFields,
  tokenFields
} from "../config/providers/providerParts.ts"
import type { InvalidToken, ProviderUnavailable } from "../errors/GatewayError.ts"
import { show } from "../errors/show.ts"
import { isSameIssuer } from "../remote/issuerUrl.ts"
import { own } from "../remote/JsonObject.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"
import type { AudienceRules } from "../verify/claims/audience.ts"
import {
  audienceRule,
  type CheckedClaims,
  clientRule,
  kindRule,
  scopesRule,
  subjectRule,
  timesRule
} from "../verify/claims/claimRules.ts"
import { identityFromClaims, type IdentityRules } from "../verify/claims/identity.ts"
import { checkSaysUse } from "../verify/claims/tokenKind.ts"
import { makeDiscoveredHttp } from "../verify/opaque/discoveredHttp.ts"
import type { OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import {
  credentialsRejected,
  isClientError,
  isOutageError,
  type ProviderReach,
  reachFromBody,
  rejectsClient,
  reportsOutage,
  statusAndError
} from "../verify/opaque/providerRejection.ts"
import type { Probe } from "../verify/opaque/Reachability.ts"
import { rejection, toInvalidToken } from "../verify/Rejection.ts"
import type { TokenRule } from "../verify/TokenRule.ts"
import { unavailable, unavailableAfter } from "../verify/unavailable.ts"
import {
  authenticate,
  type ClientAuth,
  clientAuthWarnings,
  describeClientAuth,
  readClientAuth
} from "./clientCredentials.ts"
import { tokenWarnings } from "./issuerWarnings.ts"
import { checkedResponse, makeOpaque, opaqueType, probeToken } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider whose introspection endpoint verifies its tokens. */
export interface IntrospectionProvider extends Provider, IdentityRules, AudienceRules {
  readonly type: "introspection"
  /** `undefined` if the endpoint is the one in the provider's metadata. */
  readonly introspectionEndpoint: string | undefined
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
  readonly clientAuth: ClientAuth
}

/** Error codes by which some endpoints reject a token, although RFC 7662 requires `active: false`. */
const tokenErrors: ReadonlySet<unknown> = new Set(["invalid_grant", "invalid_token", "unsupported_token_type"])

/** Whether the endpoint reported an inactive token with a status other than 200. */
const reportsInactive = ({ rejection: reported, status }: ProviderRequestFailed): boolean =>
  (status === 400 || status === 404) && reported?.inactive === true

/**
 * Maps a failed request to an error.
 *
 * 401, 403 and the error codes for clients concern the gateway's own credentials and never the token. The error codes for
 * tokens, and `active: false` with 400 or 404, reject the token. Every other failure is a failure of the provider.
 *
 * @param credentials the settings that contain the gateway's credentials, for the log
 */
const failureOf = (
  provider: string,
  credentials: string,
  failure: ProviderRequestFailed
): InvalidToken | ProviderUnavailable => {
  const { kind, rejection: reported, status = 0 } = failure
  if (kind !== "Status" || status < 400 || status >= 500) return unavailableAfter(provider, failure)
  if (status === 401 || status === 403 || isClientError(reported?.error)) {
    return unavailableAfter(provider, failure, credentialsRejected(credentials))
  }
  return tokenErrors.has(reported?.error) || reportsInactive(failure)
    ? toInvalidToken(provider, rejection("Inactive", `introspection returned ${statusAndError(failure)}`))
    : unavailableAfter(provider, failure)
}

/** Interprets a failed probe: a healthy endpoint may reject the made-up token, but not the gateway's credentials. */
const reachFromFailure = (failure: ProviderRequestFailed): ProviderReach => {
  const { kind, rejection: reported, status } = failure
  if (kind !== "Status" || isOutageError(reported?.error)) return "unavailable"
  if (status === 401 || status === 403 || isClientError(reported?.error)) return "refused"
  return status === 400 || reportsInactive(failure) ? "ready" : "unavailable"
}

/** The introspection response about a token, and the rules for it. */
interface CheckedIntrospection extends CheckedClaims {
  readonly issuer: string
}

type IntrospectionRule = TokenRule<CheckedIntrospection>

const activeRule: IntrospectionRule = {
  name: "endpoint",
  check: ({ claims }) => own(claims, "active") === true ? undefined : rejection("Inactive", "active is not true"),
  expected: () => "a response with active: true",
  found: ({ claims }) => `active is ${show(own(claims, "active"))}`
}

const issuerRule: IntrospectionRule = {
  name: "issuer",
  check: ({ claims, issuer }) => {
    const iss = own(claims, "iss")
    return iss === undefined || (typeof iss === "string" && isSameIssuer(issuer, iss))
      ? undefined
      : rejection("InvalidIssuer", `iss is ${show(iss)}; the provider's issuer is ${show(issuer)}`)
  },
  expected: ({ issuer }) => `${show(issuer)}, or none`,
  found: ({ claims }) => show(own(claims, "iss"))
}

const useRule: IntrospectionRule = {
  name: "kind",
  check: ({ claims }) => checkSaysUse(claims),
  expected: () => "an access token: the response names a caller or a use",
  found: (token) => useRule.check(token)?.detail ?? "the response names a caller or a use"
}

/** The rules, in the order of the verification. */
const rules: ReadonlyArray<IntrospectionRule> = [
  activeRule,
  kindRule,
  timesRule,
  issuerRule,
  audienceRule,
  clientRule,
  useRule
]

type Http = ProviderHttp["Service"]

/** Builds the introspection request, authenticated as configured (RFC 7662, section 2.1). */
const makeSend = (provider: IntrospectionProvider, http: Http) => {
  const { allowHttp, allowedDomains, clientAuth, introspectionEndpoint } = provider
  const { form, origin, ...shown } = authenticate(clientAuth)
  return {
    /** The settings that contain the gateway's credentials. */
    origin,
    send: (token: Required<Parameters<Http["send"]>[0]>["form"][number][1]) =>
      http.send({
        // Unused if no endpoint is configured: `makeHttp` then takes the URL from the metadata.
        url: introspectionEndpoint ?? "",
        allowedDomains,
        allowHttp,
        ...shown,
        form: [["token", token], ["token_type_hint", "access_token"], ...form]
      })
  }
}

/**
 * Builds the verification of tokens at the introspection endpoint (RFC 7662, section 2).
 *
 * Only `active: true` is accepted. The kind of token (servers also report refresh tokens as active), the times, issuer
 * and audience are then checked as for JWTs, except that `exp` and `iss` may be missing. Only a JSON object with status
 * 200 is a verdict. Every other response is a failure of the provider, and so is a rejection of the gateway's
 * credentials; only errors about the token reject the token.
 *
 * @param skew tolerance for times, in seconds
 */
const makeVerification = (
  provider: IntrospectionProvider,
  http: Http,
  { clockSkewSeconds: skew }: RegistrationContext
): OpaqueVerification<CheckedIntrospection> => {
  const { introspectionEndpoint, issuer, name } = provider
  const { origin, send } = makeSend(provider, http)

  return {
    name,
    span: "mcp-authorizer.introspection",
    expected: `active: true from ${introspectionEndpoint ?? `the introspection endpoint of ${issuer}`}`,
    request: Effect.fnUntraced(
      function*(token) {
        const response = yield* send(token)
        const { body } = response
        if (rejectsClient(body)) return yield* unavailable(name, `200 with an error: ${credentialsRejected(origin)}`)
        if (reportsOutage(body)) return yield* unavailable(name, "introspection returned 200 and reported an outage")
        return response
      },
      Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(failureOf(name, origin, failure)))
    ),
    rules,
    checked: ({ body }, nowMillis) => ({ ...checkedResponse(body, provider, nowMillis, skew), issuer }),
    identify: (claims) => identityFromClaims(claims, provider),
    identityRules: [subjectRule, scopesRule],
    settings: provider
  }
}

/** Builds the client for the configured endpoint, or for the one in the metadata. */
const makeHttp = Effect.fnUntraced(function*(provider: IntrospectionProvider) {
  const plain = yield* ProviderHttp
  return provider.introspectionEndpoint === undefined
    ? makeDiscoveredHttp(plain, yield* ProviderMetadata, provider, "introspection_endpoint")
    : plain
})

/** Builds the probe, which introspects a made-up token: a healthy endpoint reports it as inactive. */
const makeProbe = (provider: IntrospectionProvider, http: Http): Probe =>
  Effect.match(makeSend(provider, http).send(probeToken), {
    onFailure: (failure) => ({ reach: reachFromFailure(failure), detail: failure.detail }),
    onSuccess: ({ body }) => ({
      reach: reachFromBody(body),
      detail: `${provider.introspectionEndpoint ?? provider.issuer}: 200 with an error`
    })
  })

const opaque = makeOpaque({ makeHttp, makeProbe, makeVerification })

const optional = { discovery_url: "discoveryUrl" } as const

/** The type for opaque tokens that are verified by introspection (RFC 7662). */
export const introspection: ProviderType<IntrospectionProvider> = {
  ...opaqueType,
  name: "introspection",
  fields: [
    ...tokenFields,
    "discovery_url",
    "introspection_endpoint",
    "client_auth",
    "client_id",
    "client_secret"
  ],
  identifiedBy: ["issuer", "introspection_endpoint"],
  resolve: (fields, context) => {
    const issuer = readIssuer(fields, "introspection")
    const introspectionEndpoint = fields.read("introspection_endpoint")
    const discovery = readOptional(fields, optional)
    const clientAuth = readClientAuth(fields)
    const rest = readTokenFields(fields, "introspection", context, [
      ["issuer", issuer],
      ["introspection_endpoint", introspectionEndpoint],
      ["discovery_url", discovery.discoveryUrl]
    ])
    const isWrong = introspectionEndpoint === undefined && fields.given.has("introspection_endpoint")
    return issuer === undefined || isWrong || clientAuth === undefined
      ? undefined
      : { ...rest, ...discovery, issuer, introspectionEndpoint, clientAuth }
  },
  describe: (provider) => ({
    ...describeTokenFields(provider),
    ...describeOptional(optional, provider),
    introspection_endpoint: provider.introspectionEndpoint ?? "(from the issuer's discovery document)",
    ...describeClientAuth(provider.clientAuth)
  }),
  warnings: (provider, context) => [...tokenWarnings(provider, context), ...clientAuthWarnings(provider.clientAuth)],
  forResource: audienceForResource,
  onlineChecks: (provider) => [{
    _tag: "Endpoint",
    name: "introspection",
    good: `${
      provider.introspectionEndpoint ?? `the endpoint in the metadata of ${provider.issuer}`
    } responds, and reports a made-up token as inactive`,
    credentials: authenticate(provider.clientAuth).origin,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import type { FieldReader } from "../config/providers/FieldReader.ts"
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
import type { InvalidToken, ProviderUnavailable } from "../errors/GatewayError.ts"
import { show } from "../errors/show.ts"
import type { Json } from "../identity/Json.ts"
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
import { authenticate, type ClientAuth } from "./clientCredentials.ts"
import { audienceWarnings, subjectWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import { makeOpaque, probeToken } from "./opaque.ts"
import type { ProviderType, RegistrationContext } from "./ProviderType.ts"

/** A provider whose introspection endpoint verifies its tokens. */
export interface IntrospectionProvider extends Provider, IdentityRules, AudienceRules {
  readonly type: "introspection"
  /** `undefined`: the endpoint that the metadata name. */
  readonly introspectionEndpoint: string | undefined
  /** The URL of the metadata, instead of the issuer's well-known URLs. */
  readonly discoveryUrl?: string | undefined
  readonly clientAuth: ClientAuth
}

/** The settings that each authentication method needs, and those that it ignores. */
const credentials = {
  basic: { needs: ["client_id", "client_secret"], others: [] },
  post: { needs: ["client_id", "client_secret"], others: [] },
  bearer: { needs: ["client_secret"], others: ["client_id"] },
  none: { needs: [], others: ["client_id", "client_secret"] }
} as const

/** Reads how the gateway authenticates. Reports settings that are missing or unused. */
const readClientAuth = (fields: FieldReader): ClientAuth | undefined => {
  const method = fields.read("client_auth") ?? (fields.given.has("client_auth") ? undefined : "basic")
  const clientId = fields.read("client_id")
  const clientSecret = fields.read("client_secret")
  if (method === undefined) return undefined
  for (const field of credentials[method].needs) {
    if (!fields.given.has(field)) {
      fields.report(field, {
        problem: "is missing; a provider of type introspection needs it",
        fix: `Set it, or choose another way to authenticate with ${fields.label("client_auth")}`
      })
    }
  }
  for (const field of credentials[method].others) {
    if (fields.given.has(field)) {
      fields.report(field, {
        problem: `is unused when ${fields.label("client_auth")} is ${method}`,
        fix: "Remove it, or choose another way"
      })
    }
  }
  if (method === "none") return { method }
  if (clientSecret === undefined) return undefined
  if (method === "bearer") return { method, token: clientSecret }
  return clientId === undefined ? undefined : { method, clientId, clientSecret }
}

const describeClientAuth = (auth: ClientAuth): { readonly [member: string]: Json } => ({
  client_auth: auth.method,
  ...("clientId" in auth ? { client_id: auth.clientId } : {}),
  ...(auth.method === "none" ? {} : { client_secret: "(hidden)" })
})

const hasBlank = (auth: ClientAuth): boolean => "clientId" in auth && /\s/.test(auth.clientId)

/** Error codes by which some endpoints reject a token, where RFC 7662 requires `active: false`. */
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

/** Interprets a failed probe: the endpoint may reject the made-up token, but must accept the gateway's credentials. */
const reachFromFailure = (failure: ProviderRequestFailed): ProviderReach => {
  const { kind, rejection: reported, status } = failure
  if (kind !== "Status" || isOutageError(reported?.error)) return "unavailable"
  if (status === 401 || status === 403 || isClientError(reported?.error)) return "refused"
  return status === 400 || reportsInactive(failure) ? "ready" : "unavailable"
}

/** What introspection says about a token, and what it is checked with. */
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

/** In the order of the verification. */
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
        // Without a configured endpoint, the client finds it in the metadata.
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
 * and audience are then checked as for JWTs, except that `exp` and `iss` may be missing. Every response other than a JSON
 * object with status 200 is a failure of the provider and not of the caller, including a rejection of the gateway's
 * credentials. The exception is an error that concerns the token.
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
    checked: ({ body }, nowMillis) => ({
      claims: body,
      rules: provider,
      issuer,
      now: nowMillis / 1000,
      skew,
      requireExpiry: false,
      typ: undefined,
      isAccessType: false
    }),
    identify: (claims) => identityFromClaims(claims, provider),
    identityRules: [subjectRule, scopesRule],
    settings: provider
  }
}

/** The client for the configured endpoint, or for the endpoint that the metadata name. */
const makeHttp = Effect.fnUntraced(function*(provider: IntrospectionProvider) {
  const plain = yield* ProviderHttp
  return provider.introspectionEndpoint === undefined
    ? makeDiscoveredHttp(plain, yield* ProviderMetadata, provider, "introspection_endpoint")
    : plain
})

/** Introspects a token that does not exist: a healthy endpoint reports it as inactive. */
const makeProbe = (provider: IntrospectionProvider, http: Http): Probe =>
  Effect.match(makeSend(provider, http).send(probeToken), {
    onFailure: (failure) => ({ reach: reachFromFailure(failure), detail: failure.detail }),
    onSuccess: ({ body }) => ({
      reach: reachFromBody(body),
      detail: `${provider.introspectionEndpoint ?? provider.issuer}: 200 with an error`
    })
  })

const opaque = makeOpaque({ makeHttp, makeProbe, makeVerification })

/** The type for opaque tokens that are verified by introspection (RFC 7662). */
export const introspection: ProviderType<IntrospectionProvider> = {
  name: "introspection",
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
    "introspection_endpoint",
    "client_auth",
    "client_id",
    "client_secret"
  ],
  identifiedBy: ["issuer", "introspection_endpoint"],
  resolve: (fields, context) => {
    const issuer = readIssuer(fields, "introspection")
    const introspectionEndpoint = fields.read("introspection_endpoint")
    const discovery = readDiscoveryUrl(fields)
    const clientAuth = readClientAuth(fields)
    const rest = {
      ...readCommon(fields, "introspection"),
      ...readIdentityRules(fields),
      ...discovery,
      audience: audience(fields, context),
      allowedClients: allowedClients(fields),
      allowedDomains: allowedDomains(fields, [
        ["issuer", issuer],
        ["introspection_endpoint", introspectionEndpoint],
        ["discovery_url", discovery.discoveryUrl]
      ])
    }
    const isWrong = introspectionEndpoint === undefined && fields.given.has("introspection_endpoint")
    return issuer === undefined || isWrong || clientAuth === undefined
      ? undefined
      : { ...rest, issuer, introspectionEndpoint, clientAuth }
  },
  describe: (provider) => ({
    issuer: provider.issuer,
    audience: provider.audience,
    allowed_clients: provider.allowedClients,
    ...describeIdentityRules(provider),
    ...(provider.discoveryUrl === undefined ? {} : { discovery_url: provider.discoveryUrl }),
    introspection_endpoint: provider.introspectionEndpoint ?? "(from the issuer's discovery document)",
    ...describeClientAuth(provider.clientAuth)
  }),
  warnings: (provider, { settings }) => [
    ...audienceWarnings(provider, settings),
    ...subjectWarnings(provider),
    ...(hasBlank(provider.clientAuth)
      ? ["the client id contains a space. Check that it is exactly one client id."]
      : [])
  ],
  forResource: audienceForResource,
  ownTokens: () => ({ _tag: "Opaque" }),
  advertisedIssuers,
  metadata: redirectToMetadata,
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

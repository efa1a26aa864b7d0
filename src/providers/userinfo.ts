import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Provider } from "../config/GatewaySettings.ts"
import { withoutSlash } from "../config/kinds/resourceUrl.ts"
import {
  allowedDomains,
  readCommon,
  readDiscoveryUrl,
  readIdentityRules,
  readIssuer
} from "../config/providers/providerParts.ts"
import { InsufficientScope, type InvalidToken, type ProviderUnavailable } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"
import { identityFromUserinfo, type IdentityRules } from "../verify/claims/identity.ts"
import { checkUserinfo } from "../verify/claims/tokenKind.ts"
import { makeGuessedHttp } from "../verify/opaque/discoveredHttp.ts"
import { isOutageError, reachFromBody, statusAndError, tellsOutage } from "../verify/opaque/providerRefusal.ts"
import type { Probe } from "../verify/opaque/Reachability.ts"
import type { AskProvider } from "../verify/opaque/VerifyOpaque.ts"
import { refusal, toInvalidToken } from "../verify/Refusal.ts"
import { unavailable, unavailableAfter } from "../verify/unavailable.ts"
import { exampleWarnings } from "./issuerWarnings.ts"
import { advertisedIssuers, redirectToMetadata } from "./metadata.ts"
import { makeOpaque, nobodysToken } from "./opaque.ts"
import type { ProviderType } from "./ProviderType.ts"

/** A provider whose userinfo endpoint says whom a token stands for. */
export interface UserinfoProvider extends Provider, IdentityRules {
  readonly type: "userinfo"
  readonly userinfoEndpoint: string
  /** The endpoint is not configured: what gets no answer there is asked where the metadata say. */
  readonly endpointIsGuess?: boolean | undefined
  /** Where the metadata are, in place of the issuer's well-known places. */
  readonly discoveryUrl?: string | undefined
}

type Http = ProviderHttp["Service"]

/** Without it there is no userinfo (OpenID Connect Core 1.0, sections 3.1.2.1 and 5.3). */
const userinfoScope = "openid"

/**
 * Statuses that reject the token, which is all that was sent: 422 and 498 are what some have in place of 401, and 431 says
 * that the token is too long for the provider.
 */
const tokenStatuses: ReadonlySet<number> = new Set([400, 401, 403, 422, 431, 498])

/** Says whether the token was rejected. A 403 that says when to come back is about how often the provider is asked. */
const rejectsToken = ({ kind, refusal: said, retryAfter, status = 0 }: ProviderRequestFailed): boolean =>
  kind === "Status" && tokenStatuses.has(status) && !isOutageError(said?.error) &&
  !(status === 403 && retryAfter !== undefined && said?.error === undefined)

/** Says whether a 200 rejects the token: it has an error, or says in so many words that it is no userinfo. */
const tellsRejection = (body: JsonObject): boolean => {
  const error = own(body, "error")
  return (error !== undefined && error !== null && error !== false && error !== "") || own(body, "ok") === false ||
    own(body, "active") === false
}

/**
 * What a failed request means: the token is rejected, or has too few scopes, in which case the challenge has those that
 * the provider asks for. Everything else is the provider's failure.
 */
const failureOf = (
  provider: string,
  failure: ProviderRequestFailed
): InvalidToken | InsufficientScope | ProviderUnavailable => {
  const said = failure.refusal
  if (!rejectsToken(failure)) return unavailableAfter(provider, failure)
  const detail = `userinfo says ${statusAndError(failure)}`
  if (said?.error === "insufficient_scope") {
    const required = said.scope.length === 0 ? [userinfoScope] : said.scope
    return withoutStack(() => new InsufficientScope({ required, provider, detail }))
  }
  return toInvalidToken(provider, refusal("Inactive", detail))
}

const withoutSubject = refusal("MissingClaim", "userinfo has no usable sub; the token may lack the scope openid")

/**
 * Asks the userinfo endpoint with the token itself (OpenID Connect Core 1.0, section 5.3).
 *
 * The response says who, but neither for whom nor what for: any token of the issuer is accepted, and none has scopes. A
 * token is rejected by 400, 401 and 403, and by a response with an error or without a usable `sub`, which tokens without
 * the scope `openid` get; every other response is the provider's failure.
 */
const makeAsk = (provider: UserinfoProvider, http: Http): AskProvider => {
  const { allowHttp, allowedDomains, name, userinfoEndpoint } = provider
  return Effect.fnUntraced(
    function*(token) {
      const { body } = yield* http.send({
        url: userinfoEndpoint,
        allowedDomains,
        allowHttp,
        authorization: Redacted.make(`Bearer ${Redacted.value(token)}`)
      })
      if (tellsOutage(body)) return yield* unavailable(name, "userinfo says 200 and that it cannot answer now")
      if (tellsRejection(body)) {
        return yield* toInvalidToken(name, refusal("Inactive", "userinfo says 200 and an error"))
      }
      const otherKind = checkUserinfo(body)
      if (otherKind !== undefined) return yield* toInvalidToken(name, otherKind)
      return identityFromUserinfo(body, provider) ?? (yield* toInvalidToken(name, withoutSubject))
    },
    Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(failureOf(name, failure)))
  )
}

/** At the configured endpoint, else at the usual one and, where that gives no answer, at that of the metadata. */
const makeHttp = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const plain = yield* ProviderHttp
  return provider.endpointIsGuess === true
    ? makeGuessedHttp(plain, yield* ProviderMetadata, provider, "userinfo_endpoint")
    : plain
})

/** Shows a token that nobody has: a provider that can be asked rejects it. */
const makeProbe = ({ allowHttp, allowedDomains, userinfoEndpoint: url }: UserinfoProvider, http: Http): Probe => {
  const authorization = Redacted.make(`Bearer ${nobodysToken}`)
  return Effect.match(http.send({ url, allowedDomains, allowHttp, authorization }), {
    onFailure: (failure) => ({ reach: rejectsToken(failure) ? "ready" : "unavailable", detail: failure.detail }),
    onSuccess: ({ body }) => ({ reach: reachFromBody(body), detail: `${url}: 200 with an error` })
  })
}

const opaque = makeOpaque({ makeHttp, makeProbe, makeAsk })

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
  metadata: redirectToMetadata,
  asks: (provider) => [{
    _tag: "Endpoint",
    name: "userinfo",
    good: `the endpoint of ${provider.issuer} answers, and rejects a made-up token`,
    probe: opaque.probe(provider)
  }],
  register: opaque.register
}

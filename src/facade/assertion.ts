/**
 * Identity assertions for enterprise-managed authorization (ID-JAG: RFC 7523; draft-ietf-oauth-identity-assertion-authz-grant;
 * MCP extension "enterprise-managed authorization"): the company's identity provider vouches for a user at the gateway.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl, withoutSlash } from "../config/kinds/resourceUrl.ts"
import { OAuthRejected, type ProviderUnavailable } from "../errors/GatewayError.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import { isSameIssuer } from "../remote/issuerUrl.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { checkValidity } from "../verify/claims/validity.ts"
import { parseCompactJws } from "../verify/jwt/CompactJws.ts"
import { makeCheckSignature } from "../verify/jwt/signature.ts"
import { unavailable } from "../verify/unavailable.ts"
import { assertionKeys } from "./assertionKeys.ts"
import { assertionType } from "./assertionNames.ts"
import { facadeIssuer, type FacadeProvider } from "./places.ts"
import type { ProviderEndpoints } from "./ProviderEndpoints.ts"
import { isStrings } from "./sealedValues.ts"

const maxLength = 8_192

const invalid = (detail: string) => new OAuthRejected({ error: "invalid_grant", reason: "Assertion", detail })

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** What an assertion must name. */
interface Expected {
  readonly issuer: string
  readonly resource: string
  readonly clientId: string
}

/**
 * The issuers and the token endpoint of a provider that exchanges assertions, either of which may be the audience (RFC
 * 7523, section 3).
 */
export type ProviderNames = Pick<ProviderEndpoints, "issuers" | "token">

/** The audience of an assertion: the authorization server that clients see, or the provider behind it. */
export type AssertionAudience = "Gateway" | "Provider"

/**
 * Returns which of the two the audience names; `undefined` if it names another service as well, or only another one.
 */
const audienceOf = (claims: JsonObject, issuer: string, names: ProviderNames): AssertionAudience | undefined => {
  const audience = own(claims, "aud")
  const [only, ...others] = isStrings(audience) ? audience : [audience]
  if (typeof only !== "string" || others.length > 0) return undefined
  if (isSameIssuer(issuer, only)) return "Gateway"
  return only === names.token || names.issuers.some((one) => isSameIssuer(one, only)) ? "Provider" : undefined
}

/** Returns why a correctly signed assertion is not valid for this client and this server; `undefined` if it is. */
const problemOf = (claims: JsonObject, { clientId, resource }: Expected): string | undefined => {
  if (own(claims, "client_id") !== clientId) return "client_id is not the client of the facade"
  if (!isText(own(claims, "sub"))) return "sub is missing"
  if (!isText(own(claims, "jti"))) return "jti is missing"
  if (typeof own(claims, "iat") !== "number") return "iat is missing"
  const named = own(claims, "resource")
  const resources = named === undefined ? [resource] : isStrings(named) ? named : [named]
  return resources.some((one) => typeof one === "string" && withoutSlash(one) === resource)
    ? undefined
    : "resource names another server"
}

export type CheckAssertion = (
  assertion: string,
  names: ProviderNames
) => Effect.Effect<AssertionAudience, OAuthRejected | ProviderUnavailable>

/**
 * Builds the check of assertions: form, type, algorithm, issuer, key, signature, times, and that the assertion was
 * issued for this client and this MCP server, with the gateway or the provider as its audience. The provider checks the
 * assertion again when the gateway presents it.
 *
 * Returns `undefined` if the provider does not exchange assertions.
 */
export const makeCheckAssertion = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  provider: FacadeProvider
): Effect.fn.Return<CheckAssertion | undefined> {
  const keys = assertionKeys(settings, provider)
  const cache = yield* Effect.serviceOption(JwksCache)
  const checkSignature = yield* makeCheckSignature
  if (Option.isNone(cache) || keys === undefined) return undefined
  const { algorithms, issuers, source } = keys
  const { facade: { clientId }, name } = provider
  const expected: Expected = {
    issuer: facadeIssuer(settings),
    resource: resourceUrl(settings.publicUrl ?? "", settings.path),
    clientId
  }
  cache.value.keep?.(source)

  return Effect.fnUntraced(function*(assertion, names) {
    if (assertion.length > maxLength) return yield* invalid(`it has more than ${maxLength} characters`)
    const parsed = parseCompactJws(assertion)
    if (Result.isFailure(parsed)) return yield* invalid(parsed.failure.detail)
    const jws = parsed.success
    const { claims, header } = jws
    if (header.typ !== assertionType) return yield* invalid(`typ is not ${assertionType}`)
    if (!algorithms.includes(header.alg)) return yield* invalid(`alg is not ${algorithms.join(" or ")}`)
    const iss = own(claims, "iss")
    if (typeof iss !== "string" || !issuers.some((one) => isSameIssuer(one, iss))) {
      return yield* invalid(`iss is not ${issuers.join(" or ")}`)
    }
    const key = yield* Effect.mapError(
      cache.value.keyFor(source, header),
      (failure) => failure._tag === "UnknownKey" ? invalid(failure.detail) : unavailable(name, failure.detail, failure)
    )
    const unsigned = yield* Effect.mapError(
      checkSignature(jws, key),
      ({ detail }) => unavailable(name, detail)
    )
    if (unsigned !== undefined) return yield* invalid(unsigned.detail)
    const now = (yield* Clock.currentTimeMillis) / 1000
    const late = checkValidity(claims, { now, skew: settings.clockSkewSeconds, requireExpiry: true })
    if (late !== undefined) return yield* invalid(late.detail)
    const audience = audienceOf(claims, expected.issuer, names)
    if (audience === undefined) {
      return yield* invalid("aud is neither the issuer of this facade nor the provider, and nothing else")
    }
    const problem = problemOf(claims, expected)
    return problem === undefined ? audience : yield* invalid(problem)
  })
})

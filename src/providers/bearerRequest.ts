/** Requests that present a token to its provider, for the types whose tokens are verified this way. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { InsufficientScope, type InvalidToken, type ProviderUnavailable } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import type { ProviderHttp, ProviderRequest } from "../remote/ProviderHttp.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"
import type { CheckedClaims } from "../verify/claims/claimRules.ts"
import type { OpaqueVerification } from "../verify/opaque/OpaqueVerification.ts"
import { isOutageError, reachFromBody, reportsOutage, statusAndError } from "../verify/opaque/providerRejection.ts"
import type { Probe } from "../verify/opaque/Reachability.ts"
import { rejection, toInvalidToken } from "../verify/Rejection.ts"
import type { TokenRule } from "../verify/TokenRule.ts"
import { unavailable, unavailableAfter } from "../verify/unavailable.ts"
import { probeToken } from "./opaque.ts"

/** The scope without which there is no userinfo (OpenID Connect Core 1.0, sections 3.1.2.1 and 5.3). */
const userinfoScope = "openid"

/**
 * Statuses that mean that the token is rejected, because the request contains nothing else. Some providers send 422 or
 * 498 instead of 401, and 431 means that the token is too long for the provider.
 */
const tokenStatuses: ReadonlySet<number> = new Set([400, 401, 403, 422, 431, 498])

/** Returns whether the provider rejected the token. A 403 with `Retry-After` is about the rate of requests instead. */
const rejectsToken = ({ kind, rejection: reported, retryAfter, status = 0 }: ProviderRequestFailed): boolean =>
  kind === "Status" && tokenStatuses.has(status) && !isOutageError(reported?.error) &&
  !(status === 403 && retryAfter !== undefined && reported?.error === undefined)

/** Whether a response with status 200 rejects the token: it contains an error, or `ok` or `active` is `false`. */
const reportsRejection = (body: JsonObject): boolean => {
  const error = own(body, "error")
  return (error !== undefined && error !== null && error !== false && error !== "") || own(body, "ok") === false ||
    own(body, "active") === false
}

/** The rule that the provider's description of the token does not reject the token. */
export const describedRule = (name: "userinfo" | "tokeninfo"): TokenRule<CheckedClaims> => {
  const check = ({ claims }: CheckedClaims) =>
    reportsRejection(claims) ? rejection("Inactive", `${name} returned 200 with an error`) : undefined
  const expected = "a response without an error"
  return { name: "endpoint", check, expected: () => expected, found: (token) => check(token)?.detail ?? expected }
}

/**
 * Maps a failed request to an error. If the token has too few scopes, the challenge names the scopes that the provider
 * requires. If the status does not reject the token, the provider has failed.
 *
 * @param endpoint what was requested, for the log
 */
const failureOf = (
  provider: string,
  endpoint: string,
  failure: ProviderRequestFailed
): InvalidToken | InsufficientScope | ProviderUnavailable => {
  const reported = failure.rejection
  if (!rejectsToken(failure)) return unavailableAfter(provider, failure)
  const detail = `${endpoint} returned ${statusAndError(failure)}`
  if (reported?.error === "insufficient_scope") {
    const required = reported.scope.length === 0 ? [userinfoScope] : reported.scope
    return withoutStack(() => new InsufficientScope({ required, provider, detail }))
  }
  return toInvalidToken(provider, rejection("Inactive", detail))
}

/** The endpoint that a token is presented to. */
interface Presentation extends Pick<ProviderRequest, "allowHttp" | "allowedDomains" | "url"> {
  /** The form parameter that must contain the token as well (Google). */
  readonly parameter?: string | undefined
}

/** The request that presents a token. */
const presenting = ({ parameter, ...request }: Presentation, token: Redacted.Redacted<string>): ProviderRequest => ({
  ...request,
  authorization: Redacted.make(`Bearer ${Redacted.value(token)}`),
  ...(parameter === undefined ? {} : { form: [[parameter, token]] })
})

/**
 * Builds the request that presents a token, whose response describes it.
 *
 * @param endpoint what is requested, for the log
 */
export const present = (
  provider: string,
  endpoint: "userinfo" | "tokeninfo",
  http: ProviderHttp["Service"],
  request: Presentation
): OpaqueVerification<CheckedClaims>["request"] =>
  Effect.fnUntraced(
    function*(token) {
      const response = yield* http.send(presenting(request, token))
      return reportsOutage(response.body)
        ? yield* unavailable(provider, `${endpoint} returned 200 and reported an outage`)
        : response
    },
    Effect.catchTag("ProviderRequestFailed", (failure) => Effect.fail(failureOf(provider, endpoint, failure)))
  )

/** Builds the probe, which presents a made-up token: a healthy endpoint rejects it. */
export const probeBearer = (http: ProviderHttp["Service"], request: Presentation): Probe =>
  Effect.match(http.send(presenting(request, Redacted.make(probeToken))), {
    onFailure: (failure) => ({ reach: rejectsToken(failure) ? "ready" : "unavailable", detail: failure.detail }),
    onSuccess: ({ body }) => ({ reach: reachFromBody(body), detail: `${request.url}: 200 with an error` })
  })

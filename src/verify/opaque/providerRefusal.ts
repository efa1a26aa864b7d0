/** What a provider's answer other than a verdict means: for the token, for our own credentials, or for the provider. Pure. */
import { InsufficientScope, type InvalidToken, type ProviderUnavailable } from "../../errors/GatewayError.ts"
import { withoutStack } from "../../errors/withoutStack.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import { refusal, toInvalidToken } from "../Refusal.ts"
import { unavailableAfter } from "../unavailable.ts"

/** Codes that are about the provider, whatever the status (RFC 6749, section 4.1.2.1). */
const outageErrors: ReadonlySet<unknown> = new Set(["server_error", "temporarily_unavailable"])

/** Codes that are about the client that asks (RFC 6749, section 5.2). */
const clientErrors: ReadonlySet<unknown> = new Set(["invalid_client", "unauthorized_client"])

/** Codes that an introspection endpoint has for the token, where RFC 7662 wants `active: false`. */
const tokenErrors: ReadonlySet<unknown> = new Set(["invalid_grant", "invalid_token", "unsupported_token_type"])

/** Without it there is no userinfo (OpenID Connect Core 1.0, sections 3.1.2.1 and 5.3). */
const userinfoScope = "openid"

/**
 * Statuses by which userinfo refuses the token, which is all that was sent: 422 and 498 are what some have in place of 401,
 * and 431 says that the token is too long for the provider.
 */
const tokenStatuses: ReadonlySet<number> = new Set([400, 401, 403, 422, 431, 498])

/** Says whether introspection gives its verdict with a status of its own in place of 200. */
const tellsInactive = ({ refusal: said, status }: ProviderRequestFailed): boolean =>
  (status === 400 || status === 404) && said?.inactive === true

/** Says whether userinfo refuses the token. A 403 that says when to come back is about how often it is asked. */
const refusesToken = ({ kind, refusal: said, retryAfter, status = 0 }: ProviderRequestFailed): boolean =>
  kind === "Status" && tokenStatuses.has(status) && !outageErrors.has(said?.error) &&
  !(status === 403 && retryAfter !== undefined && said?.error === undefined)

const says = ({ refusal, status }: ProviderRequestFailed): string =>
  refusal?.error === undefined ? `${status}` : `${status} ${refusal.error}`

/** Says whether a 200 tells of an outage all the same. */
export const tellsOutage = (answer: JsonObject): boolean => outageErrors.has(own(answer, "error"))

/** Says whether a 200 refuses what was asked: it has an error, or says in so many words that it is no answer. */
export const tellsRefusal = (answer: JsonObject): boolean => {
  const error = own(answer, "error")
  return (error !== undefined && error !== null && error !== false && error !== "") || own(answer, "ok") === false ||
    own(answer, "active") === false
}

/** Says whether a 200 refuses the client that asks, and not the token. */
export const tellsUnknownClient = (answer: JsonObject): boolean => clientErrors.has(own(answer, "error"))

/**
 * What it means that a userinfo endpoint gave no answer.
 *
 * 400, 401, 403 and their like are about the token, since it is all that was sent: refused, or of too few scopes, in which case the
 * challenge has those that the provider asks for. Everything else is the provider's failure.
 */
export const userinfoFailure = (
  provider: string,
  failure: ProviderRequestFailed
): InvalidToken | InsufficientScope | ProviderUnavailable => {
  const said = failure.refusal
  if (!refusesToken(failure)) return unavailableAfter(provider, failure)
  if (said?.error === "insufficient_scope") {
    const required = said.scope.length === 0 ? [userinfoScope] : said.scope
    return withoutStack(() => new InsufficientScope({ required, provider, detail: `userinfo says ${says(failure)}` }))
  }
  return toInvalidToken(provider, refusal("Inactive", `userinfo says ${says(failure)}`))
}

/**
 * What it means that an introspection endpoint gave no answer.
 *
 * 401, 403 and the codes for clients are about our own credentials and never about the token; the codes for tokens, and
 * `active: false` with 400 or 404, refuse it. Everything else is the provider's failure.
 *
 * @param credentials where our own credentials come from, for the log
 */
export const introspectionFailure = (
  provider: string,
  credentials: string,
  failure: ProviderRequestFailed
): InvalidToken | ProviderUnavailable => {
  const { kind, refusal: said, status = 0 } = failure
  if (kind !== "Status" || status < 400 || status >= 500) return unavailableAfter(provider, failure)
  if (status === 401 || status === 403 || clientErrors.has(said?.error)) {
    return unavailableAfter(provider, failure, credentialsRefused(credentials))
  }
  return tokenErrors.has(said?.error) || tellsInactive(failure)
    ? toInvalidToken(provider, refusal("Inactive", `introspection says ${says(failure)}`))
    : unavailableAfter(provider, failure)
}

/** For the log: it is not the caller's token that is wrong. */
export const credentialsRefused = (credentials: string): string =>
  `the provider refuses our own credentials, not the token; check ${credentials}`

/** Whether a provider can be asked; `refused`: it does not take our own credentials. */
export type ProviderReach = "ready" | "unavailable" | "refused"

/** What a 200 to a question about nobody's token says of the provider. */
export const answerReach = (answer: JsonObject): ProviderReach =>
  tellsUnknownClient(answer) ? "refused" : tellsOutage(answer) ? "unavailable" : "ready"

/** The same of a userinfo endpoint that gave no answer: to refuse the token is what it should do. */
export const userinfoReach = (failure: ProviderRequestFailed): ProviderReach =>
  refusesToken(failure) ? "ready" : "unavailable"

/** The same of an introspection endpoint, which may find the token malformed, but must know us. */
export const introspectionReach = (failure: ProviderRequestFailed): ProviderReach => {
  const { kind, refusal: said, status } = failure
  if (kind !== "Status" || outageErrors.has(said?.error)) return "unavailable"
  if (status === 401 || status === 403 || clientErrors.has(said?.error)) return "refused"
  return status === 400 || tellsInactive(failure) ? "ready" : "unavailable"
}

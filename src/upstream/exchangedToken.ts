/** The token that the provider issues in exchange for a caller's. Pure. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ExchangeAuth } from "../config/UpstreamAuth.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import type { ProviderRequest } from "../remote/ProviderHttp.ts"
import { peekJwt } from "../verify/jwt/CompactJws.ts"

type Form = Required<ProviderRequest>["form"]

const accessToken = "urn:ietf:params:oauth:token-type:access_token"

/**
 * The form of the request (RFC 8693, section 2.1; for on-behalf-of, RFC 7523 with the parameters of Microsoft Entra).
 */
export const exchangeForm = (
  { audience, grant, requestedTokenType, resource, scope }: ExchangeAuth,
  token: string
): Form => {
  const subject = Redacted.make(token)
  const scopes: Form = scope.length === 0 ? [] : [["scope", scope.join(" ")]]
  if (grant === "on_behalf_of") {
    return [
      ["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
      ["assertion", subject],
      ["requested_token_use", "on_behalf_of"],
      ...scopes
    ]
  }
  return [
    ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
    ["subject_token", subject],
    ["subject_token_type", accessToken],
    ...(requestedTokenType === undefined ? [] : [["requested_token_type", requestedTokenType] as const]),
    ...audience.map((one) => ["audience", one] as const),
    ...(resource === undefined ? [] : [["resource", resource] as const]),
    ...scopes
  ]
}

/** A token from the provider, and until when it is sent, in milliseconds since 1970. */
export interface ExchangedToken {
  readonly token: string
  readonly sentUntil: number
}

/** How long a token of unknown lifetime is sent, and how long before its expiry any other token is replaced. */
const unknownLifeMillis = 60_000
const longestMarginMillis = 30_000

const maxLength = 32_768

const expiryOf = (token: string): number | undefined => {
  const claims = peekJwt(token)?.claims
  const exp = claims === undefined ? undefined : own(claims, "exp")
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : undefined
}

/** Reads the response (RFC 8693, section 2.2.1); fails with its problem. */
export const readExchanged = (body: JsonObject, nowMillis: number): Result.Result<ExchangedToken, string> => {
  const [token, type, life] = [own(body, "access_token"), own(body, "token_type"), own(body, "expires_in")]
  if (typeof token !== "string" || token.length > maxLength || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    return Result.fail("the response has no usable access_token")
  }
  if (typeof type === "string" && !/^(?:bearer|n_a)$/i.test(type)) {
    return Result.fail("the response has a token that is not a bearer token")
  }
  // Some providers write the number as a string.
  const seconds = typeof life === "string" && /^[0-9]{1,9}$/.test(life) ? Number(life) : life
  const end = typeof seconds === "number" && Number.isFinite(seconds)
    ? nowMillis + seconds * 1000
    : expiryOf(token) ?? nowMillis + unknownLifeMillis
  const lifeMillis = end - nowMillis
  return lifeMillis <= 0
    ? Result.fail("the response has a token that has ended")
    : Result.succeed({ token, sentUntil: end - Math.min(longestMarginMillis, lifeMillis / 5) })
}

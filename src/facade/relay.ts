/** Requests of the facade to the token and revocation endpoints of the provider. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { OAuthRejected, Overloaded, type ProviderUnavailable } from "../errors/GatewayError.ts"
import { Shares } from "../fairness/Shares.ts"
import { isOwnError, makeClientAuthentication } from "../providers/clientAuthentication.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { ProviderHttp, type ProviderRequest } from "../remote/ProviderHttp.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"
import { unavailable, unavailableAfter } from "../verify/unavailable.ts"
import type { FacadeProvider } from "./places.ts"
import type { ProviderEndpoints } from "./ProviderEndpoints.ts"

type Form = Required<ProviderRequest>["form"]

/** The maximum number of concurrent requests to the provider. Each peer may have a share of them. */
const maxInProgress = 256

/** Why the provider does not accept a grant, in the terms of RFC 6749, section 5.2. */
type GrantRejection = (detail: string) => OAuthRejected

const outageErrors: ReadonlySet<string> = new Set(["server_error", "temporarily_unavailable"])

const ownClient =
  "the provider rejects the gateway's own client: check client_id, its secret or key, and the redirect URI"

const scopeRejected = (detail: string) => new OAuthRejected({ error: "invalid_scope", reason: "Scope", detail })

/** Maps a failed request to an error, for which the grant, the gateway's client or the provider is the cause. */
const failureOf = (
  provider: string,
  failure: ProviderRequestFailed,
  grantRejected: GrantRejection
): OAuthRejected | ProviderUnavailable => {
  const { kind, rejection, status = 0 } = failure
  const error = rejection?.error
  if (kind !== "Status" || status < 400 || status >= 500 || status === 408 || status === 429) {
    return unavailableAfter(provider, failure)
  }
  if (error !== undefined && outageErrors.has(error)) return unavailableAfter(provider, failure)
  if (isOwnError(error) || (error === undefined && status !== 400)) {
    return unavailableAfter(provider, failure, ownClient)
  }
  const detail = `the token endpoint of the provider returned ${status} ${error ?? "without a registered error"}`
  return error === "invalid_scope" ? scopeRejected(detail) : grantRejected(detail)
}

/** Maps an error in a response with status 200, which GitHub sends. */
const errorOf = (provider: string, body: JsonObject, grantRejected: GrantRejection) => {
  const error = own(body, "error")
  if (error === undefined) return undefined
  return typeof error === "string" && isOwnError(error)
    ? unavailable(provider, ownClient)
    : grantRejected("the token endpoint of the provider reported an error with status 200")
}

/** Sends requests to the provider as the client of the facade. */
export interface Relay {
  /** @param grantRejected builds the error for a grant that the provider rejects */
  readonly token: (
    peer: string,
    endpoints: ProviderEndpoints,
    form: Form,
    grantRejected: GrantRejection
  ) => Effect.Effect<JsonObject, OAuthRejected | Overloaded | ProviderUnavailable>
  readonly revoke: (
    peer: string,
    endpoints: ProviderEndpoints,
    form: Form
  ) => Effect.Effect<void, Overloaded | ProviderUnavailable>
}

export const makeRelay = Effect.fnUntraced(function*({ allowHttp, allowedDomains, facade, name }: FacadeProvider) {
  // Optional, so that programs without a facade need not provide it.
  const http = Option.getOrThrowWith(
    yield* Effect.serviceOption(ProviderHttp),
    () => new Error("a facade needs ProviderHttp: provide ProviderHttp.layer to HttpApp")
  )
  const shares = new Shares(maxInProgress)
  const authentication = yield* makeClientAuthentication(facade.clientId, facade.auth)

  /**
   * Runs a request within the share of the peer, so that one peer cannot use up the limit while the provider is slow.
   */
  const shared = <A, E, R>(peer: string, request: Effect.Effect<A, E, R>): Effect.Effect<A, E | Overloaded, R> =>
    Effect.suspend((): Effect.Effect<A, E | Overloaded, R> => {
      const share = shares.of(peer)
      if (!shares.claim(share)) {
        return Effect.fail(
          new Overloaded({
            detail: "too many requests to the provider's token endpoint are in progress",
            retryAfter: 1
          })
        )
      }
      return Effect.ensuring(request, Effect.sync(() => shares.release(share)))
    })

  const send = (url: string, endpoints: ProviderEndpoints, form: Form) =>
    Effect.flatMap(authentication(endpoints), (own) =>
      http.send({
        url,
        allowedDomains,
        allowHttp,
        ...own,
        form: [...form, ...own.form]
      }))

  const relay: Relay = {
    token: (peer, endpoints, form, grantRejected) =>
      shared(
        peer,
        Effect.gen(function*() {
          const { body } = yield* Effect.mapError(
            send(endpoints.token, endpoints, form),
            (failure) =>
              failure._tag === "UnusableClientKey"
                ? unavailable(name, failure.detail)
                : failureOf(name, failure, grantRejected)
          )
          const error = errorOf(name, body, grantRejected)
          return error === undefined ? body : yield* error
        })
      ),
    revoke: (peer, endpoints, form) =>
      shared(
        peer,
        endpoints.revoke === undefined ? Effect.void : send(endpoints.revoke, endpoints, form).pipe(
          Effect.asVoid,
          Effect.catchTag("ProviderRequestFailed", (failure) =>
            // RFC 7009, section 2.2: the body of the response has no meaning.
            failure.kind === "NotJson" || failure.kind === "NotAnObject"
              ? Effect.void
              : Effect.fail(unavailableAfter(name, failure))),
          Effect.catchTag("UnusableClientKey", ({ detail }) => Effect.fail(unavailable(name, detail)))
        )
      )
  }
  return relay
})

export const hiddenField = (name: string, value: string): readonly [string, Redacted.Redacted<string>] => [
  name,
  Redacted.make(value)
]

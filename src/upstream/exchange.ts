import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { standingScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { ExchangeAuth } from "../config/UpstreamAuth.ts"
import { AccessDenied } from "../errors/GatewayError.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import type { Identity } from "../identity/Identity.ts"
import { makeClientAuthentication } from "../providers/clientAuthentication.ts"
import { authMethodsOf, providerDocument, textMember, usableEndpoint } from "../providers/providerDocument.ts"
import type { JsonObject } from "../remote/JsonObject.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { makeGuardedHttp } from "../verify/opaque/guardedHttp.ts"
import { negativeMillis } from "../verify/opaque/verdictLife.ts"
import { makeRecentlyUsed } from "../verify/recentlyUsed.ts"
import { makeTokenDigest, notedDigest, Sha256 } from "../verify/tokenDigest.ts"
import { unavailable } from "../verify/unavailable.ts"
import { exchangeForm, readExchanged } from "./exchangedToken.ts"
import { type ExchangeError, exchangeError } from "./exchangeFailure.ts"
import type { UpstreamAuthorizer } from "./UpstreamAuthorizer.ts"
import { fieldsWithoutCaller, tokenField, type UpstreamFields } from "./UpstreamFields.ts"

/** The maximum number of cached results. If there are more, the least recently used are evicted. */
const exchangedCapacity = 8_192
const failedCapacity = 1_000

interface Exchanged {
  readonly fields: UpstreamFields
  /** Milliseconds since 1970. */
  readonly sentUntil: number
}

interface Failed {
  readonly error: ExchangeError
  readonly until: number
}

/** The exchange of one token, shared by the requests that wait for it. */
class PendingExchange extends Context.Service<PendingExchange, Effect.Effect<UpstreamFields, ExchangeError>>()(
  "mcp-authorizer/upstream/exchange/PendingExchange"
) {}

const missing = (service: string) => () =>
  new Error(`exchange of MCP_UPSTREAM_AUTH needs ${service}: provide ${service}.layer to HttpApp`)

const notExchangeable = ({ provider }: Identity) =>
  new AccessDenied({ reason: "Policy", detail: `tokens of the provider ${provider} are not exchanged for this server` })

/**
 * Builds the authorizer that exchanges the caller's token for a new one, at the provider that verified it.
 *
 * The new token is cached, under the SHA-256 of the caller's token, until shortly before it expires and at most as long
 * as the caller's token is valid. Denials are cached for 10 seconds. Requests with the same token wait for one
 * exchange. The provider is guarded as in the verification of tokens: requests take turns by peer, and a provider that
 * is down gets few.
 */
export const makeExchange = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  auth: ExchangeAuth
): Effect.fn.Return<UpstreamAuthorizer, never, Digest.Digest | SecureRandom.SecureRandom> {
  // Optional, so that programs without token exchange need not provide it.
  const plain = Option.getOrThrowWith(yield* Effect.serviceOption(ProviderHttp), missing("ProviderHttp"))
  const metadata = Option.getOrThrowWith(yield* Effect.serviceOption(ProviderMetadata), missing("ProviderMetadata"))
  const sharedIo = yield* SharedIo
  const clock = yield* Clock.Clock
  const digestOf = yield* makeTokenDigest
  const sha256 = yield* Sha256
  const authentication = yield* makeClientAuthentication(auth.clientId, auth.auth)
  const http = makeGuardedHttp(plain, sharedIo)
  // `checkUpstreamAuth` has ensured that this provider exists.
  const provider = settings.providers.find(({ name }) => auth.provider === undefined || name === auth.provider)
  const name = provider?.name ?? ""

  const exchanged = makeRecentlyUsed<Exchanged>(exchangedCapacity)
  const failed = makeRecentlyUsed<Failed>(failedCapacity)

  const endpoint = Effect.gen(function*() {
    if (provider === undefined) return yield* unavailable(name, "no provider can exchange tokens")
    const document = auth.tokenEndpoint === undefined
      ? yield* providerDocument(settings, provider, metadata)
      : ({} satisfies JsonObject)
    const url = auth.tokenEndpoint ?? textMember(document, "token_endpoint")
    return {
      provider,
      token: yield* usableEndpoint(provider, "token_endpoint", "MCP_UPSTREAM_AUTH", url),
      authMethods: authMethodsOf(document)
    }
  })

  const request = Effect.fnUntraced(function*(identity: Identity, token: string) {
    const target = yield* endpoint
    const { allowHttp, allowedDomains } = target.provider
    const own = yield* Effect.mapError(authentication(target), ({ detail }) => unavailable(name, detail))
    const sent = http.send({
      url: target.token,
      allowedDomains,
      allowHttp,
      ...own,
      form: [...exchangeForm(auth, token), ...own.form]
    })
    const { body } = yield* Effect.mapError(
      sent,
      (failure) => exchangeError(name, failure, standingScopes(settings, identity))
    )
    const read = readExchanged(body, clock.currentTimeMillisUnsafe())
    return yield* Effect.fromResult(Result.mapError(read, (detail) => unavailable(name, detail)))
  })

  const exchange = Effect.fnUntraced(function*(digest: string, identity: Identity, token: string) {
    const { sentUntil, token: issued } = yield* Effect.tapError(request(identity, token), (error) =>
      Effect.sync(() => {
        if (error._tag === "ProviderUnavailable") return
        failed.set(digest, { error, until: clock.currentTimeMillisUnsafe() + negativeMillis })
      }))
    const fields = tokenField(auth.field, issued)
    const { expiresAt } = identity
    // A token is accepted after its expiry, within the tolerance for clocks.
    const end = expiresAt === undefined ? sentUntil : (expiresAt + settings.clockSkewSeconds) * 1000
    exchanged.set(digest, { fields, sentUntil: Math.min(sentUntil, end) })
    return fields
  })

  // Entries exist only while an exchange runs, because they keep the fiber, and with it the token, in memory.
  const pending = yield* Cache.makeWith((_digest: string) => Effect.flatten(PendingExchange), {
    capacity: Number.POSITIVE_INFINITY,
    timeToLive: () => 0,
    requireServicesAt: "lookup"
  })

  const known = (digest: string): UpstreamFields | undefined => {
    const found = exchanged.get(digest)
    if (found === undefined) return undefined
    if (clock.currentTimeMillisUnsafe() < found.sentUntil) return found.fields
    exchanged.remove(digest)
    return undefined
  }

  const authorize = Effect.fnUntraced(function*(
    identity: Identity,
    token: string
  ): Effect.fn.Return<UpstreamFields, ExchangeError> {
    if (identity.provider !== name) return yield* notExchangeable(identity)
    const digest = notedDigest(identity) ?? (yield* digestOf(token))
    const fields = known(digest)
    if (fields !== undefined) return fields
    const failure = failed.get(digest)
    if (failure !== undefined && clock.currentTimeMillisUnsafe() < failure.until) return yield* failure.error
    const running = exchange(digest, identity, token)
    return yield* sharedIo
      ? Effect.provideService(Cache.get(pending, digest), PendingExchange, running)
      : running
  })

  return {
    peek: ({ identity, token }) => {
      if (identity === undefined) return fieldsWithoutCaller
      if (identity.provider !== name) return undefined
      const digest = notedDigest(identity) ?? sha256?.(token())
      return digest === undefined ? undefined : known(digest)
    },
    authorize: ({ identity, token }) =>
      identity === undefined ? Effect.succeed(fieldsWithoutCaller) : authorize(identity, token())
  }
})

/** The gateway in the role of the authorization server. It stores nothing, and issues no access tokens of its own. */
import type * as Aead from "effect/crypto/Aead"
import type * as Digest from "effect/crypto/Digest"
import type * as Mac from "effect/crypto/Mac"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type GatewayError, NotFound, RateLimited } from "../errors/GatewayError.ts"
import { LimitMemory, LimitStore } from "../limits/LimitStore.ts"
import { makeMemoryCounters } from "../limits/memoryCounters.ts"
import { makeRateLimiter } from "../limits/RateLimiter.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { authorize, consent } from "./authorize.ts"
import { callback } from "./callback.ts"
import type { FacadeRequest, FacadeResponse } from "./FacadeRequest.ts"
import { type FacadeParts, makeParts } from "./parts.ts"
import { type FacadeEndpoint, type FacadeProvider, facadeProvider } from "./places.ts"
import { register } from "./register.ts"
import { revoke, token } from "./token.ts"

/** Responds to the requests of one MCP server's facade. */
export type RespondAsFacade = (request: FacadeRequest) => Effect.Effect<FacadeResponse, GatewayError>

type Handler = (parts: FacadeParts, request: FacadeRequest) => Effect.Effect<FacadeResponse, GatewayError>

/** The key set is empty: the tokens are the provider's, and there are no ID tokens. */
const keys: Handler = () => Effect.succeed({ _tag: "Json", body: { keys: [] } })

const handlers: Readonly<Record<FacadeEndpoint, Handler>> = {
  authorize,
  consent,
  callback,
  token,
  register,
  revoke,
  keys
}

/** Limits the requests of each address, so that clients cannot overload the provider or try out codes. */
const makeLimit = Effect.fnUntraced(function*(settings: GatewaySettings, { facade }: FacadeProvider) {
  const limiter = makeRateLimiter(
    {
      rateLimits: [{
        by: ["address", "server"],
        on: "messages",
        limit: facade.requestsPerMinute,
        windowMillis: 60_000,
        algorithm: "token-bucket",
        tools: undefined,
        servers: undefined
      }],
      // Requests that a failing store cannot count are counted in this process.
      storeFailure: "local"
    },
    "",
    (yield* LimitMemory) ?? makeMemoryCounters(),
    yield* LimitStore
  )
  return ({ endpoint, peer }: FacadeRequest) =>
    Effect.mapError(
      limiter.admit({ identity: undefined, address: peer, server: `facade ${settings.serverName} ${endpoint}` }, []),
      (error) =>
        error._tag === "RateLimited"
          ? new RateLimited({ ...error, detail: `requests_per_minute of the facade, for ${endpoint}` })
          : error
    )
})

export type FacadeNeeds =
  | Aead.Aead
  | Digest.Digest
  | Mac.Mac
  | ProviderMetadata
  | SecureRandom.SecureRandom

/** Builds the facade of an MCP server. Without a configured facade, all of its endpoints respond as unknown. */
export const makeFacade = Effect.fnUntraced(function*(
  settings: GatewaySettings
): Effect.fn.Return<RespondAsFacade, never, FacadeNeeds> {
  const provider = facadeProvider(settings)
  if (provider === undefined) return () => Effect.fail(new NotFound())
  const parts = yield* makeParts(settings, provider)
  const limit = yield* makeLimit(settings, provider)
  return (request) => Effect.andThen(limit(request), handlers[request.endpoint](parts, request))
})

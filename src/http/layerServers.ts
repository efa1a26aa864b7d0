/** The gateway in front of one MCP server, or of several. */
import * as Context from "effect/Context"
import type * as Aead from "effect/crypto/Aead"
import type * as Digest from "effect/crypto/Digest"
import type * as Mac from "effect/crypto/Mac"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { carryOverValue, CurrentHolding, holdingOf } from "../config/carryOver.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import { GatewayClient } from "../forward/GatewayClient.ts"
import type { JwksCache } from "../keys/JwksCache.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import { type LimitCounters, LimitMemory } from "../limits/LimitStore.ts"
import { makeMemoryCounters } from "../limits/memoryCounters.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { makeFrontCourse } from "./course/Course.ts"
import type { OnError } from "./errorResponse.ts"
import { consoleAndWebCrypto, handleWith, HttpApp, type HttpAppOptions } from "./HttpApp.ts"
import { makeSelectServer } from "./selectServer.ts"
import type { ServedServer } from "./ServedServer.ts"

const nowhere = new UpstreamUnavailable({ detail: "the request is for no server" })

/** Builds the app for requests that no MCP server is configured for. */
const makeFront = Effect.fnUntraced(function*(settings: GatewaySettings, onError: OnError | undefined) {
  // Each provider once, even if several servers use it. These registries only report readiness, and never verify a
  // token.
  const providers = yield* ProviderRegistry.make(settings)
  const front: ServedServer = {
    settings,
    providers,
    verifier: undefined,
    course: yield* makeFrontCourse(settings, onError, providers.readiness),
    client: GatewayClient.of({ send: () => Effect.fail(nowhere) })
  }
  return front
})

const appOf = (serverOf: HttpApp["Service"]["serverOf"], servers: ReadonlyArray<ServedServer>) =>
  HttpApp.of({ handle: handleWith(serverOf), serverOf, servers })

type ServersShare = JwksCache | ProviderHttp | ProviderMetadata

/** The cryptography that the services of each server can use. */
type Crypto = Aead.Aead | Digest.Digest | Mac.Mac | SecureRandom.SecureRandom

/**
 * Only the app for requests that no MCP server is configured for.
 *
 * For hosts whose instances serve a single request, and therefore build only what that request needs.
 */
export const layerFront = (
  { audit, crypto, onError }: HttpAppOptions = {}
): Layer.Layer<HttpApp, InvalidConfiguration | UnusablePublicKey, GatewayConfig | ServersShare> =>
  perConfiguration(
    Layer.effect(
      HttpApp,
      Effect.gen(function*() {
        const front = yield* makeFront(yield* GatewayConfig, onError)
        return appOf(() => front, [front])
      })
    ).pipe(Layer.provide(consoleAndWebCrypto({ audit, crypto })))
  )

/**
 * The gateway for the provided settings, in front of one MCP server or several.
 *
 * `services` are built for each server separately, with a `GatewayConfig` that has only that server's settings, so that
 * no two servers share a verdict, a queue or a connection. What `services` requires (`JwksCache`, `ProviderMetadata`,
 * `ProviderHttp`) is shared, so that keys and documents are fetched once for all servers.
 *
 * **Example** (for every platform with `fetch`, like `layerGateway`)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { HttpGatewayClient, layerServers, ProviderRegistry, TokenVerifier } from "mcp-authorizer"
 *
 * const App = layerServers(
 *   Layer.merge(TokenVerifier.layer, HttpGatewayClient.layerFetch).pipe(Layer.provideMerge(ProviderRegistry.layer))
 * )
 * ```
 */
export const layerServers = <E, R>(
  services: Layer.Layer<TokenVerifier | GatewayClient | ProviderRegistry, E, R>,
  { audit, crypto, onError }: HttpAppOptions = {}
): Layer.Layer<
  HttpApp,
  E | InvalidConfiguration | UnusablePublicKey,
  GatewayConfig | ServersShare | Exclude<Exclude<Exclude<R, GatewayConfig>, Scope.Scope>, Crypto>
> => {
  // The audit log is provided by the outer layer, and must not be built for each server.
  const app = HttpApp.layerWith({ crypto, onError, audit: Layer.empty }).pipe(Layer.provide(services))

  const appFor = Effect.fnUntraced(function*(settings: GatewaySettings, memory: LimitCounters) {
    const holding = holdingOf(settings.serverName, yield* CurrentHolding)
    const built = Layer.provide(app, [
      Layer.succeed(GatewayConfig, settings),
      Layer.succeed(LimitMemory, memory),
      Layer.succeed(CurrentHolding, holding)
    ])
    return Context.get(yield* Layer.build(Layer.fresh(built)), HttpApp)
  })

  // Shared, because limits may count the messages for all servers together.
  const memoryOfAll = carryOverValue("counters", undefined, () => makeMemoryCounters())

  const several = Effect.fnUntraced(function*(settings: GatewaySettings) {
    const memory = yield* memoryOfAll
    const apps = yield* Effect.forEach(
      settings.servers,
      (server) => Effect.map(appFor(server, memory), ({ servers }) => [server, servers] as const)
    )
    const served = new Map(apps.flatMap(([settings, [server]]) => server === undefined ? [] : [[settings, server]]))
    const front = yield* makeFront(settings, onError)
    const select = makeSelectServer(settings)
    return appOf((request) => {
      const server = select(request)
      return (server && served.get(server)) ?? front
    }, [...served.values(), front])
  })

  return perConfiguration(
    Layer.effect(
      HttpApp,
      Effect.flatMap(
        GatewayConfig,
        (settings) =>
          settings.servers.length === 0
            ? Effect.flatMap(memoryOfAll, (memory) => appFor(settings, memory))
            : several(settings)
      )
    ).pipe(Layer.provide(consoleAndWebCrypto({ audit, crypto })))
  )
}

import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { AdminSource } from "../admin/AdminSource.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import type { GatewayClient } from "../forward/GatewayClient.ts"
import type { HttpAppOptions } from "../http/HttpApp.ts"
import { layerServers } from "../http/layerServers.ts"
import type { JwksCache } from "../keys/JwksCache.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import { MeasureRequests } from "../metrics/MeasureRequests.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { VerifyAtOnce } from "../verify/jwt/signature.ts"
import type { Verification } from "../verify/layers.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { Sha256 } from "../verify/tokenDigest.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { ActivityRecorder } from "./admin/ActivityRecorder.ts"
import { layerAdminPort } from "./admin/layerAdminPort.ts"
import { layerOwnSource } from "./admin/ownSource.ts"
import { layerProcessMetrics } from "./admin/processMetrics.ts"
import { announce } from "./announce.ts"
import { layerAudit } from "./audit/layerAudit.ts"
import { Generations } from "./generations/Generations.ts"
import { layerProvidersWith } from "./layerProviders.ts"
import { layerServer } from "./layerServer.ts"
import * as NodeGatewayClient from "./NodeGatewayClient.ts"
import { sha256 } from "./sha256.ts"
import { verifyAtOnce } from "./signature.ts"
import { layerStore } from "./store/layerStore.ts"

export * as NodeGatewayClient from "./NodeGatewayClient.ts"
export type { Verification }

/**
 * The services that a registry of providers may need: the settings of its server, and the client and caches of
 * providers.
 */
export type RegistryNeeds = GatewayConfig | JwksCache | ProviderHttp | ProviderMetadata | Digest.Digest

/** Options in addition to the verifier. */
export interface NodeGatewayOptions<E = never> extends Pick<HttpAppOptions, "onError"> {
  /** The client of the MCP server. Default: `NodeGatewayClient.layer`, which uses `undici`. */
  readonly gatewayClient?: Layer.Layer<GatewayClient, E | InvalidConfiguration, GatewayConfig> | undefined
  /**
   * Where instances share the keys and the metadata of providers. Default: the memory of this process.
   *
   * Anyone who can write to the store decides which keys the gateway trusts. Verdicts of opaque tokens are shared by
   * the verifier: `TokenVerifier.layerStored` with the same store provided to it.
   */
  readonly store?: Layer.Layer<KeyValueStore.KeyValueStore, E> | undefined
  /**
   * The providers, in place of those of the settings: `ProviderRegistry` selects one for each token, and `/readyz` uses
   * it. Discovery documents and scopes still come from the settings. Default: `ProviderRegistry.layer`.
   */
  readonly registry?: Layer.Layer<ProviderRegistry, E | UnusablePublicKey, RegistryNeeds> | undefined
}

/** Node's own cryptography, which is synchronous. Web Crypto would use another thread. */
const crypto = Layer.mergeAll(NodeCrypto.layerDigest, NodeCrypto.layerMac, NodeCrypto.layerSecureRandom)

/** Options of the program's own processes. */
interface ProcessOptions<E = never> extends NodeGatewayOptions<E> {
  /** What to do with the `AdminSource` of this process. Default: to listen on the admin port. */
  readonly admin?: Layer.Layer<never, InvalidConfiguration, AdminSource | GatewayConfig | Generations> | undefined
  /** What changes the configuration while the process runs. Default: nothing. */
  readonly reloading?: Layer.Layer<never, never, Generations> | undefined
  /** The number of the configuration. Default: 1. */
  readonly generation?: number | undefined
}

/** Measures requests if the admin port shows the metrics, or if the surrounding program has switched metrics on. */
const layerMeasured = ({ adminPort }: GatewaySettings) =>
  Layer.effect(MeasureRequests, Effect.map(MeasureRequests, (isOn) => isOn || adminPort !== undefined))

/** Measures this process if the admin port or an exporter shows the metrics. */
const layerProcess = Layer.unwrap(Effect.gen(function*() {
  const isShown = (yield* MeasureRequests) || (yield* GatewayConfig).adminPort !== undefined
  return isShown ? layerProcessMetrics : Layer.empty
}))

/** A gateway that listens, with the errors of the layers that it was given. */
type GatewayLayer<E> = Layer.Layer<
  HttpServer.HttpServer,
  E | InvalidConfiguration | ServeError | UnusablePublicKey,
  GatewayConfig
>

/** The gateway in one process of the program. */
export const layerWith = <E = never, OptionE = never>(
  {
    admin = layerAdminPort,
    gatewayClient = NodeGatewayClient.layer,
    generation,
    onError,
    registry = ProviderRegistry.layer,
    reloading = Layer.empty,
    store = KeyValueStore.layerMemory
  }: ProcessOptions<OptionE>,
  verifier: Verification<E> = TokenVerifier.layer
): GatewayLayer<E | OptionE> => {
  const app = layerServers(
    Layer.merge(verifier, gatewayClient).pipe(Layer.provideMerge(registry)),
    { crypto, onError, audit: layerAudit }
  ).pipe(
    Layer.provide(layerProvidersWith(store)),
    Layer.provide(Layer.provide(layerStore, crypto)),
    // Digests and signatures are computed in this thread: passing a token to another thread and back takes far longer.
    Layer.provide([
      NodeCrypto.layerDigest,
      Layer.succeed(Sha256, sha256),
      Layer.succeed(VerifyAtOnce, verifyAtOnce)
    ])
  )
  // Fresh: a second gateway in one program has its own settings, and shares nothing with the first.
  return Layer.fresh(
    Layer.provide(
      Layer.provide(Layer.mergeAll(Layer.provide(admin, layerOwnSource), layerProcess, layerServer), reloading),
      Generations.layer(
        (settings) => Layer.provide(app, Layer.merge(Layer.succeed(GatewayConfig, settings), layerMeasured(settings))),
        generation
      )
    ).pipe(Layer.provide(ActivityRecorder.layer))
  )
}

/**
 * The gateway as a Node service that prints nothing at start: for programs that print their own messages, or run
 * several gateways.
 *
 * In all other respects the same as `layer`.
 */
export const layerUnannounced = <E = never, OptionE = never>(
  verifier: Verification<E> = TokenVerifier.layer,
  options: NodeGatewayOptions<OptionE> = {}
): GatewayLayer<E | OptionE> => layerWith(options, verifier)

/** Logs where the gateway listens, and the warnings about its settings. */
export const announceServer: Effect.Effect<void, never, GatewayConfig | HttpServer.HttpServer> = Effect.gen(
  function*() {
    const { address } = yield* HttpServer.HttpServer
    yield* announce(yield* GatewayConfig, NetAddress.formatUrlUnsafe(address))
  }
)

/**
 * The gateway as a Node service: listens, verifies, forwards.
 *
 * Provide a `GatewayConfig`. The layer provides the `HttpServer`, whose address has the port if the system chose it.
 * Fails with `ServeError` if it cannot listen, with `UnusablePublicKey`, and with `InvalidConfiguration` for an unusable
 * CA file or proxy. Closing its scope stops accepting connections, lets open responses end within `MCP_SHUTDOWN_TIMEOUT`,
 * and closes the rest.
 *
 * @param verifier the verification of tokens on top of the configured providers: `TokenVerifier.layer`, or that layer
 * wrapped in `TokenVerifier.layerPrefix` or `TokenVerifier.layerMapIdentity`
 * @param options your own error responses, client of the MCP server, store and providers
 */
export const layer = <E = never, OptionE = never>(
  verifier: Verification<E> = TokenVerifier.layer,
  options: NodeGatewayOptions<OptionE> = {}
): GatewayLayer<E | OptionE> =>
  Layer.effectDiscard(announceServer).pipe(Layer.provideMerge(layerUnannounced(verifier, options)))

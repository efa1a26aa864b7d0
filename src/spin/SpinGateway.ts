import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { layerLogging } from "../config/logging.ts"
import * as HttpGatewayClient from "../forward/HttpGatewayClient.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { layerProvidersWith } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Host } from "./Host.ts"
import * as HostKeyValueStore from "./HostKeyValueStore.ts"
import { incomingRequest } from "./incomingRequest.ts"
import { misconfigured } from "./misconfigured.ts"
import { readSettings } from "./settings.ts"
import * as StoredKeys from "./StoredKeys.ts"
import * as StoredMetadata from "./StoredMetadata.ts"
import * as StoredVerdicts from "./StoredVerdicts.ts"

/** Answers requests of one instance. */
export type Handler = (request: Request) => Promise<Response>

/** The configured providers, their keys and documents in the store. */
const providers = layerProvidersWith(StoredKeys.layer, StoredMetadata.layer).pipe(
  Layer.provideMerge(Digest.layerWebCrypto)
)

/** What tokens mean, which instances tell each other unless the operator does not want that. */
const verifier = ({ storeVerdicts }: GatewaySettings) =>
  storeVerdicts ? Layer.provide(StoredVerdicts.layer, TokenVerifier.layer) : TokenVerifier.layer

/** The gateway on what a host provides. What one process remembers on Node, instances leave to each other in the store. */
const layer = (host: Host, settings: GatewaySettings) =>
  HttpApp.layer.pipe(
    Layer.provide([verifier(settings), HttpGatewayClient.layerFetch]),
    Layer.provide(providers),
    Layer.provide([FetchHttpClient.layer, HostKeyValueStore.layer(host)]),
    Layer.provide(Layer.succeed(GatewayConfig, settings)),
    Layer.provideMerge(layerLogging(settings))
  )

const build = (host: Host, prepare: (settings: GatewaySettings) => void): Effect.Effect<Handler> =>
  Effect.gen(function*() {
    const settings = yield* readSettings(host)
    prepare(settings)
    // Never closed: an instance does not outlive its requests.
    const context = yield* Layer.buildWithScope(layer(host, settings), yield* Scope.make())
    return HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(context)(
      Context.get(context, HttpApp).handle
    )
  }).pipe(
    Effect.catch((error) => Effect.as(Effect.logError(error.message), HttpEffect.toWebHandler(misconfigured))),
    Effect.provide(Logger.layer([Logger.consoleJson]))
  )

/**
 * Makes the handler of an instance, which is built with the first request: while the component itself is built, it has
 * no variables, no clock and no randomness.
 *
 * What is wrong with the settings is written to the log, and every request is answered with 500.
 *
 * @param prepare is told the settings before anything is verified
 */
export const makeHandler = (host: Host, prepare: (settings: GatewaySettings) => void): Handler => {
  let built: Promise<Handler> | undefined
  return (request) => {
    built ??= Effect.runPromise(build(host, prepare))
    return built.then((handle) => handle(incomingRequest(request)))
  }
}

import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { layerTrustOfHost } from "../config/fetchHosts.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { layerLogging } from "../config/kinds/logging.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import * as HttpGatewayClient from "../forward/HttpGatewayClient.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { layerFront } from "../http/layerServers.ts"
import { makeSelectServer } from "../http/selectServer.ts"
import { flatLine } from "../log/flatLine.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { layerDocumentsWith } from "../verify/layers.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { makeDirectResponse } from "./directResponse.ts"
import type { Host } from "./Host.ts"
import * as HostKeyValueStore from "./HostKeyValueStore.ts"
import { incomingRequest } from "./incomingRequest.ts"
import { makeKnownIdentity } from "./knownIdentity.ts"
import { misconfigured } from "./misconfigured.ts"
import { serverRequest, withPeer } from "./peerAddress.ts"
import { readSettings } from "./settings.ts"
import * as storedProbe from "./storedProbe.ts"

/** The request handler of one instance. */
export type Handler = (request: Request) => Promise<Response>

/** Nothing runs after a response, and nothing is cached except in the store. */
const ownIo = Layer.succeed(SharedIo, false)

/** The keys and documents of the configured providers, in the store. */
const documents = layerDocumentsWith(ProviderMetadata.layerStored).pipe(Layer.provide(ownIo))

/** The other services that providers need. */
const probes = Layer.merge(storedProbe.layer, ownIo)

/** The verification of tokens. Instances share verdicts unless the operator has disabled it. */
const verifier = ({ storeVerdicts }: GatewaySettings) => storeVerdicts ? TokenVerifier.layerStored : TokenVerifier.layer

/**
 * The app of one MCP server. For the settings of a gateway with several servers, the app for requests that no MCP
 * server is configured for.
 */
const app = (settings: GatewaySettings) =>
  settings.servers.length > 0
    ? layerFront().pipe(Layer.provide(probes))
    : HttpApp.layer.pipe(
      Layer.provide([verifier(settings), HttpGatewayClient.layerFetch]),
      Layer.provide(Layer.provide(ProviderRegistry.layer, probes))
    )

/** The gateway on a host. Instances share in the store what one process caches on Node. */
const layer = (host: Host, settings: GatewaySettings) =>
  app(settings).pipe(
    Layer.provide(documents),
    Layer.provide([FetchHttpClient.layer, HostKeyValueStore.layer(host), Digest.layerWebCrypto, layerTrustOfHost]),
    Layer.provide(Layer.succeed(GatewayConfig, settings)),
    Layer.provideMerge(layerLogging(settings))
  )

/** A Web handler that sends its own requests with the given `fetch`. */
type HandlerWith = (request: Request, fetch: typeof globalThis.fetch) => Promise<Response>

const build = (host: Host, settings: Settings): Effect.Effect<HandlerWith> =>
  Effect.gen(function*() {
    // Never closed: an instance does not outlive its requests.
    const context = yield* Layer.buildWithScope(layer(host, yield* Effect.fromResult(settings)), yield* Scope.make())
    const handle = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(context)(
      Effect.updateService(Context.get(context, HttpApp).handle, HttpServerRequest.HttpServerRequest, withPeer)
    )
    return (request: Request, fetch: typeof globalThis.fetch) =>
      handle(request, Context.make(FetchHttpClient.Fetch, fetch))
  }).pipe(
    Effect.catch((error) => {
      const respond = HttpEffect.toWebHandler(misconfigured)
      return Effect.as(Effect.logError(error.message), (request: Request) => respond(request))
    }),
    Effect.provide(Logger.layer([Logger.withConsoleLog(flatLine("default"))]))
  )

type Settings = ReturnType<typeof readSettings>

/** Serves the requests for one MCP server, or those that no MCP server is configured for. */
const makeServed = (host: Host, settings: Settings): Handler => {
  let built: Promise<HandlerWith> | undefined
  const throughLayers: HandlerWith = async (request, fetch) => {
    built ??= Effect.runPromise(build(host, settings))
    return (await built)(request, fetch)
  }
  const directResponse = Result.isSuccess(settings) && settings.success.storeVerdicts &&
      settings.success.servers.length === 0
    ? makeDirectResponse(host, settings.success, makeKnownIdentity(host, settings.success))
    : undefined

  return async (request) => {
    if (directResponse === undefined) return throughLayers(request, host.fetch)
    const direct = await directResponse(request)
    return direct instanceof Response ? direct : throughLayers(direct.request, direct.fetch)
  }
}

/**
 * The state of an instance between requests, for instances that handle several. Everything is built when a request
 * first needs it.
 */
const makeInstance = (host: Host): Handler => {
  const settings = readSettings(host)
  const common = makeServed(host, settings)
  if (Result.isFailure(settings) || settings.success.servers.length === 0) {
    return (request) => common(incomingRequest(host, request))
  }
  const select = makeSelectServer(settings.success)
  const served = new Map<GatewaySettings, Handler>()

  return (request) => {
    const incoming = incomingRequest(host, request)
    const server = select(serverRequest(incoming))
    if (server === undefined) return common(incoming)
    const handler = served.get(server) ?? makeServed(host, Result.succeed(server))
    served.set(server, handler)
    return handler(incoming)
  }
}

/**
 * Builds the handler of an instance on its first request, because there are no variables, no clock and no randomness
 * while the component itself is built.
 *
 * If the settings are invalid, the problems are logged, and every request results in 500.
 */
export const makeHandler = (host: Host): Handler => {
  let instance: Handler | undefined
  return (request) => {
    instance ??= makeInstance(host)
    return instance(request)
  }
}

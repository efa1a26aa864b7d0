import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { ReadShortBody } from "../http/readBody.ts"
import { layerProviders, type Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { announce } from "./announce.ts"
import { drainOnClose } from "./drain.ts"
import { makeHttpServer } from "./httpServer.ts"
import * as NodeGatewayClient from "./NodeGatewayClient.ts"
import { readShortBody } from "./shortBody.ts"

const serverLayer = Effect.map(GatewayConfig, (settings) => {
  const server = drainOnClose(makeHttpServer(settings))
  const listening = NodeHttpServer.layerServer(() => server, {
    host: settings.host,
    port: settings.port,
    gracefulShutdownTimeout: settings.shutdownTimeoutMillis
  })
  // Runs once the timeout is over: a client that never completes its request would be waited for.
  const cut = Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  return Layer.provideMerge(Layer.effectDiscard(cut), listening)
}).pipe(Layer.unwrap)

// The application is built first: a connection may come the moment that the server listens.
const serve = Effect.gen(function*() {
  const { handle } = yield* HttpApp
  const { maxBodyBytes } = yield* GatewayConfig
  return Layer.provideMerge(HttpServer.serve(handle), serverLayer).pipe(
    Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBodyBytes))),
    Layer.provide(Layer.succeed(ReadShortBody, readShortBody))
  )
}).pipe(Layer.unwrap)

export type { Verification }

/**
 * The gateway as a Node service that says nothing at start-up: for a program that has words of its own, or runs several.
 *
 * Otherwise as `layer`.
 */
export const layerUnannounced = <E = never>(verifier: Verification<E> = TokenVerifier.layer) =>
  // Anew: a second gateway in one program has its own settings, and shares nothing with the first.
  Layer.fresh(serve.pipe(
    Layer.provide(HttpApp.layer),
    Layer.provide([verifier, NodeGatewayClient.layer]),
    Layer.provide(layerProviders),
    // Digests in this thread: handing a token to another one and back takes far longer than its digest.
    Layer.provide([FetchHttpClient.layer, KeyValueStore.layerMemory, NodeCrypto.layerDigest])
  ))

const announceServer = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  yield* announce(yield* GatewayConfig, NetAddress.formatUrlUnsafe(address))
})

/**
 * The gateway as a Node service: listens, verifies, forwards.
 *
 * Give it a `GatewayConfig`; it provides the `HttpServer`, whose address tells the port when the system chose it.
 * Fails with `ServeError` when it cannot listen, and with `UnusablePublicKey`. Closing its scope stops accepting, lets
 * open answers end within `MCP_SHUTDOWN_TIMEOUT`, and cuts the rest.
 *
 * @param verifier what tokens mean, on top of the configured providers: `TokenVerifier.layer`, or that with
 * `TokenVerifier.layerPrefix` or `TokenVerifier.layerMapIdentity` around it
 */
export const layer = <E = never>(verifier: Verification<E> = TokenVerifier.layer) =>
  Layer.effectDiscard(announceServer).pipe(Layer.provideMerge(layerUnannounced(verifier)))

import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Http from "node:http"
import type { Duplex } from "node:stream"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { warnings } from "../config/warnings.ts"
import { HttpApp } from "../http/HttpApp.ts"
import { layerProviders } from "../verify/layers.ts"
import type { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import * as NodeGatewayClient from "./NodeGatewayClient.ts"

// Room for the other fields of a request beside its token.
const otherFieldBytes = 16 * 1024

const refusal = (status: number, error: string, description: string): string => {
  const body = JSON.stringify({ error, error_description: description })
  return `HTTP/1.1 ${status} ${
    Http.STATUS_CODES[status]
  }\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}

/** Answers what Node's parser refuses, in the usual shape; such a request never becomes one. */
const onClientError = (error: Error & { readonly code?: string }, socket: Duplex): void => {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy()
    return
  }
  socket.end(
    error.code === "HPE_HEADER_OVERFLOW"
      ? refusal(431, "request_header_fields_too_large", "The header fields are too large")
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? refusal(408, "request_timeout", "The request did not arrive in time")
      : refusal(400, "invalid_request", "The request is malformed")
  )
}

const makeServer = (maxTokenBytes: number): Http.Server => {
  const server = Http.createServer({
    maxHeaderSize: maxTokenBytes + otherFieldBytes,
    headersTimeout: 10_000,
    // A request is read whole before it is answered, so this does not cut streams.
    requestTimeout: 60_000,
    // Longer than the idle time of the usual load balancers, which must be the ones to close.
    keepAliveTimeout: 75_000
  })
  server.on("clientError", onClientError)
  return server
}

const serverLayer = Effect.map(
  GatewayConfig,
  ({ host, maxTokenBytes, port, shutdownTimeoutMillis }) =>
    NodeHttpServer.layerServer(() => makeServer(maxTokenBytes), {
      host,
      port,
      gracefulShutdownTimeout: shutdownTimeoutMillis
    })
).pipe(Layer.unwrap)

/** Says, once at start-up, where the gateway listens and what in its settings is unwise. */
const announce = Effect.gen(function*() {
  const settings = yield* GatewayConfig
  const { address } = yield* HttpServer.HttpServer
  yield* Effect.forEach(warnings(settings), (warning) => Effect.logWarning(warning))
  yield* Effect.logInfo("listening").pipe(Effect.annotateLogs({
    url: NetAddress.formatUrlUnsafe(address),
    mcp_path: settings.path,
    upstream: settings.gatewayUrl,
    providers: settings.providers.map(({ name, type }) => `${name} (${type})`)
  }))
})

const serve = Layer.unwrap(Effect.map(HttpApp, (app) => HttpServer.serve(app)))

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
export const layer = (verifier: Layer.Layer<TokenVerifier, never, ProviderRegistry> = TokenVerifier.layer) =>
  Layer.effectDiscard(announce).pipe(
    Layer.provideMerge(serve),
    Layer.provide(HttpApp.layer),
    Layer.provide([verifier, NodeGatewayClient.layer]),
    Layer.provide(layerProviders),
    Layer.provide(FetchHttpClient.layer),
    Layer.provideMerge(serverLayer)
  )

import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Server } from "node:http"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { makeEndpoint } from "./endpoint/makeEndpoint.ts"
import { makeHttpServer } from "./httpServer.ts"

/** Stops accepting connections, and waits until every request has its response. */
const drained = (server: Server) =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  })

/**
 * Listens as configured, and handles each request by the course of `HttpApp`.
 *
 * Provides the `HttpServer`, for its address. Fails with `ServeError` if it cannot listen. Closing its scope stops
 * accepting connections, lets open responses end within `MCP_SHUTDOWN_TIMEOUT`, and closes the rest.
 */
export const layerServer = perConfiguration(
  Effect.gen(function*() {
    // The application is built first: a connection may arrive as soon as the server listens.
    const { handle, shutDown } = yield* makeEndpoint
    const settings = yield* GatewayConfig
    const server = makeHttpServer(settings, handle)
    const listening = NodeHttpServer.layerServer(() => server, { host: settings.host, port: settings.port })
    const end = drained(server).pipe(
      Effect.timeoutOption(settings.shutdownTimeoutMillis),
      Effect.andThen(shutDown),
      // Otherwise the server would wait for a client that never completes its request.
      Effect.andThen(Effect.sync(() => server.closeAllConnections()))
    )
    const closed = Layer.effectDiscard(Effect.addFinalizer(() => end))
    return Layer.provideMerge(closed, listening)
  }).pipe(Layer.unwrap)
)

import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Server } from "node:http"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { makeEndpoint } from "./endpoint/makeEndpoint.ts"
import { makeHttpServer } from "./httpServer.ts"

/** Accepts no more, and waits until every request has its response. */
const drained = (server: Server) =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  })

/**
 * Listens where the settings say, and takes each request through the course of `HttpApp`.
 *
 * Provides the `HttpServer`, for its address. Fails with `ServeError` when it cannot listen. Closing its scope stops
 * accepting, lets open responses end within `MCP_SHUTDOWN_TIMEOUT`, and cuts the rest.
 */
export const layerServer = perConfiguration(
  Effect.gen(function*() {
    // The application is built first: a connection may come the moment that the server listens.
    const { handle, shutDown } = yield* makeEndpoint
    const settings = yield* GatewayConfig
    const server = makeHttpServer(settings, handle)
    const listening = NodeHttpServer.layerServer(() => server, { host: settings.host, port: settings.port })
    const end = drained(server).pipe(
      Effect.timeoutOption(settings.shutdownTimeoutMillis),
      Effect.andThen(shutDown),
      // A client that never completes its request would be waited for.
      Effect.andThen(Effect.sync(() => server.closeAllConnections()))
    )
    const closed = Layer.effectDiscard(Effect.addFinalizer(() => end))
    return Layer.provideMerge(closed, listening)
  }).pipe(Layer.unwrap)
)

import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import type * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type { Server } from "node:http"
import { type GatewaySettings, serversOf } from "../config/GatewaySettings.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { observeCounter, observeGauge } from "../metrics/observe.ts"
import { ClientConnections } from "./ClientConnections.ts"
import type { Connection } from "./Connection.ts"
import { connectionsPermitted, maxDescriptors } from "./descriptors.ts"
import { Generations } from "./generations/Generations.ts"
import { makeHttpServer, setTimeouts } from "./httpServer.ts"

/** Stops accepting connections, and waits until every request has its response. */
const drained = (server: Server) =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  })

/** How many client connections may be open: as configured, or fewer if the process may open fewer files. */
const maxConnections = (settings: GatewaySettings, descriptors: number): number => {
  const upstream = serversOf(settings).reduce((sum, { maxUpstreamConnections }) => sum + maxUpstreamConnections, 0)
  return Math.min(settings.maxClientConnections, connectionsPermitted(descriptors, upstream))
}

/**
 * Listens as configured, and passes each request to the generation that is current when it begins.
 *
 * Provides the `HttpServer`, for its address. Fails with `ServeError` if it cannot listen. Closing its scope makes
 * `/readyz` 503, keeps serving for `MCP_SHUTDOWN_DELAY`, stops accepting connections, lets open responses end within
 * `MCP_SHUTDOWN_TIMEOUT`, and closes the rest.
 */
export const layerServer: Layer.Layer<HttpServer.HttpServer, ServeError, Generations> = perConfiguration(
  Effect.gen(function*() {
    // The first generation is built before: a connection may arrive as soon as the server listens.
    const generations = yield* Generations
    const { host, port } = generations.current.settings
    const descriptors = maxDescriptors()
    let max = maxConnections(generations.current.settings, descriptors)
    const connections = new ClientConnections<Connection>(() => max)
    yield* observeGauge("mcp_authorizer.client_connections", {}, () => connections.size)
    yield* observeCounter("mcp_authorizer.client_connections.displaced", {}, () => connections.displaced)
    const server = makeHttpServer(
      () => generations.current.settings,
      (request, response, awaitsContinue) => generations.current.handle(request, response, awaitsContinue),
      generations.stopping,
      connections
    )
    generations.onChange(({ settings }) => {
      setTimeouts(server, settings)
      max = maxConnections(settings, descriptors)
    })
    const listening = NodeHttpServer.layerServer(() => server, { host, port })
    // Load balancers send nothing more before connections are rejected: a request that came in between would be lost.
    const announced = Effect.suspend(() => {
      generations.stopping.isStopping = true
      return Effect.sleep(generations.current.settings.shutdownDelayMillis)
    })
    const end = Effect.suspend(() =>
      drained(server).pipe(
        Effect.timeoutOption(generations.current.settings.shutdownTimeoutMillis),
        Effect.andThen(Effect.sync(() => generations.all().forEach(({ endpoint }) => endpoint.shutDown()))),
        // Otherwise the server would wait for a client that never completes its request.
        Effect.andThen(Effect.sync(() => server.closeAllConnections()))
      )
    )
    const closed = Layer.effectDiscard(Effect.addFinalizer(() => Effect.andThen(announced, end)))
    return Layer.provideMerge(closed, listening)
  }).pipe(Layer.unwrap)
)

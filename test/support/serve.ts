/** Servers on loopback ports that the system chooses. They stop with their scope; each returns its origin. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import { createServer } from "node:http"

const serve = <A, E>(app: Layer.Layer<A, E, HttpServer.HttpServer>) =>
  Layer.build(
    app.pipe(
      Layer.provideMerge(
        NodeHttpServer.layerServer(() => createServer(), {
          host: "127.0.0.1",
          port: 0,
          gracefulShutdownTimeout: "100 millis"
        })
      ),
      Layer.provide(Logger.layer([]))
    )
  ).pipe(
    Effect.map((context) => NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address))
  )

/** Serves the routes of a router. */
export const serveRoutes = <A, E extends Error | Cause.IllegalArgumentError>(
  routes: Layer.Layer<A, E, HttpRouter.HttpRouter>
) => serve(HttpRouter.serve(routes, { disableListenLog: true, disableLogger: true }))

/** Serves a web handler. */
export const serveWebHandler = (handler: (request: Request) => Promise<Response>) =>
  serve(HttpServer.serve(HttpEffect.fromWebHandler(handler)))

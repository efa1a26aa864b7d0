import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import { createServer } from "node:http"

/** Serves a web handler on a loopback port of the system's choice until the scope closes; gives the origin. */
export const serveWebHandler = (handler: (request: Request) => Promise<Response>) =>
  Layer.build(
    HttpServer.serve(HttpEffect.fromWebHandler(handler)).pipe(
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

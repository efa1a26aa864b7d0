import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import { createServer } from "node:http"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { layerGateway } from "../../src/embed/layers.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"

/**
 * Starts the gateway without any code of `src/node`: `HttpApp` on Effect's plain HTTP server, with `fetch` to the MCP
 * server, like other hosts. Returns its origin. It logs only to `logger`, and stops with the scope.
 */
export const startEffectGateway = (settings: GatewaySettings, logger: Layer.Layer<never> = Logger.layer([])) =>
  Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
    Layer.provide(layerGateway),
    Layer.provide(Layer.succeed(GatewayConfig, settings)),
    Layer.provideMerge(
      NodeHttpServer.layerServer(() => createServer({ requireHostHeader: false }), {
        host: "127.0.0.1",
        port: 0,
        gracefulShutdownTimeout: "100 millis"
      })
    ),
    Layer.provide(logger),
    Layer.build,
    Effect.map((context) => NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)),
    Effect.orDie
  )

/** The program on Node as an `HttpApp`, so that the suite of those can be run on it: its own server, on a real socket. */
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import { type Dispatcher, request } from "undici"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { Generations } from "../../src/node/generations/Generations.ts"
import { layerServer } from "../../src/node/layerServer.ts"

const layerLoopback = Layer.effect(
  GatewayConfig,
  Effect.map(GatewayConfig, (settings) => ({ ...settings, host: "127.0.0.1", port: 0, shutdownTimeoutMillis: 5 }))
)

/** Forwards a request to the server, and returns its response. */
const passTo = (origin: string) =>
  Effect.gen(function*() {
    const { headers, method, originalUrl, source } = yield* HttpServerRequest.HttpServerRequest
    const body = source instanceof Request && source.body !== null
      ? new Uint8Array(yield* Effect.promise(() => source.arrayBuffer()))
      : null
    const { pathname, search } = new URL(originalUrl, origin)
    const { "content-length": _, ...fields } = headers
    const response = yield* Effect.promise(() =>
      request(`${origin}${pathname}${search}`, { method: method as Dispatcher.HttpMethod, headers: fields, body })
    )
    const bytes = new Uint8Array(yield* Effect.promise(() => response.body.arrayBuffer()))
    const lines = Object.entries(response.headers).flatMap(([name, value]) =>
      name === "connection" || name === "keep-alive" || name === "transfer-encoding"
        ? []
        : [value].flat().map((one) => [name, one ?? ""] satisfies [string, string])
    )
    return HttpServerResponse.fromWeb(
      new Response(bytes.length === 0 ? null : bytes, { status: response.statusCode, headers: lines })
    )
  })

/** With the suite's services, as every app of it: the server sends through its `GatewayClient`. */
export const NodeApp = Layer.effect(
  HttpApp,
  Effect.gen(function*() {
    const { app } = (yield* Generations).current
    const { address } = yield* HttpServer.HttpServer
    return { ...app, handle: passTo(NetAddress.formatUrlUnsafe(address)) }
  })
).pipe(
  Layer.provide(layerServer),
  Layer.provide(Generations.layer((settings) => Layer.provide(HttpApp.layer, Layer.succeed(GatewayConfig, settings)))),
  Layer.provide(layerLoopback)
)

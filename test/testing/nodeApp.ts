/** The program on Node as an `HttpApp`, so that the suite of those can be run on it: its own server, on a real socket. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Dispatcher, request } from "undici"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { UpstreamUnavailable } from "../../src/errors/GatewayError.ts"
import { GatewayClient } from "../../src/forward/GatewayClient.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { McpEndpoint } from "../../src/node/endpoint/McpEndpoint.ts"
import { layerServer } from "../../src/node/layerServer.ts"
import type { AnswerReceiver } from "../../src/node/UpstreamCall.ts"
import { UpstreamPool } from "../../src/node/UpstreamPool.ts"

const nothing = () => undefined

/** What the suite's client answers, told as Node's connections tell it. */
const receive = Effect.fnUntraced(function*(
  client: GatewayClient["Service"],
  sent: Parameters<
    GatewayClient["Service"]["send"]
  >[0],
  receiver: AnswerReceiver
) {
  const exit = yield* Effect.exit(client.send(sent))
  if (Exit.isFailure(exit)) {
    const [reason] = exit.cause.reasons
    // Node's connections have no faults: what goes wrong there is the MCP server's.
    return receiver.fail(reason?._tag === "Fail" ? reason.error : new UpstreamUnavailable({ detail: "a fault" }))
  }
  const { body, ...head } = exit.value
  switch (body._tag) {
    case "Empty":
      return receiver.whole(head, undefined)
    case "Bytes":
      return receiver.whole(head, body.bytes)
    case "Stream": {
      receiver.begin(
        head,
        { pause: nothing, resume: nothing, abort: nothing } as unknown as Dispatcher.DispatchController
      )
      yield* Stream.runForEach(body.stream, (chunk) => Effect.sync(() => receiver.piece(chunk)))
      return receiver.end()
    }
  }
})

/** Connections that lead to the suite's client. */
const layerPool = Layer.effect(
  UpstreamPool,
  Effect.gen(function*() {
    const client = yield* GatewayClient
    const scope = yield* Scope.Scope
    const run = Effect.runForkWith(Context.make(Scope.Scope, scope))
    return UpstreamPool.of({
      send: (sent, receiver) => {
        const fiber = run(receive(client, sent, receiver))
        return { cancel: () => fiber.interruptUnsafe(), startClock: nothing, stopClock: nothing }
      }
    })
  })
)

const layerLoopback = Layer.effect(
  GatewayConfig,
  Effect.map(GatewayConfig, (settings) => ({ ...settings, host: "127.0.0.1", port: 0, shutdownTimeoutMillis: 5 }))
)

/** Hands a request on to the server, and its answer back. */
const passTo = (origin: string) =>
  Effect.gen(function*() {
    const { headers, method, originalUrl, source } = yield* HttpServerRequest.HttpServerRequest
    const body = source instanceof Request && source.body !== null
      ? new Uint8Array(yield* Effect.promise(() => source.arrayBuffer()))
      : null
    const { pathname, search } = new URL(originalUrl, origin)
    const { "content-length": _, ...fields } = headers
    const answer = yield* Effect.promise(() =>
      request(`${origin}${pathname}${search}`, { method: method as Dispatcher.HttpMethod, headers: fields, body })
    )
    const bytes = new Uint8Array(yield* Effect.promise(() => answer.body.arrayBuffer()))
    const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
      name === "connection" || name === "keep-alive" || name === "transfer-encoding"
        ? []
        : [value].flat().map((one) => [name, one ?? ""] satisfies [string, string])
    )
    return HttpServerResponse.fromWeb(
      new Response(bytes.length === 0 ? null : bytes, { status: answer.statusCode, headers: lines })
    )
  })

/** With the suite's services, as every app of it. */
export const NodeApp = Layer.effect(
  HttpApp,
  Effect.map(HttpServer.HttpServer, ({ address }) => ({ handle: passTo(NetAddress.formatUrlUnsafe(address)) }))
).pipe(
  Layer.provide(layerServer),
  Layer.provide([HttpApp.layer, McpEndpoint.layer]),
  Layer.provide(layerPool),
  Layer.provide(layerLoopback)
)

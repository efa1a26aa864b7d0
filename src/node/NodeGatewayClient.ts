import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Dispatcher, Pool } from "undici"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { gatewaySocket } from "../config/gatewaySocket.ts"
import { type UpstreamError, UpstreamUnavailable } from "../errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../forward/GatewayClient.ts"
import { UpstreamCall } from "./UpstreamCall.ts"

const connectTimeoutMillis = 10_000

const make = Effect.gen(function*() {
  const { gatewayUrl, maxWaiting, upstreamTimeoutMillis } = yield* GatewayConfig
  const socketPath = gatewaySocket(gatewayUrl)
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() =>
      // Behind a socket there is no host; `localhost` is what its server finds in `Host`.
      new Pool(socketPath === undefined ? new URL(gatewayUrl).origin : "http://localhost", {
        pipelining: 1,
        connect: { timeout: connectTimeoutMillis, ...(socketPath === undefined ? {} : { socketPath }) },
        // `UpstreamCall` keeps the time, to the millisecond and over short bodies too.
        headersTimeout: 0,
        // Event streams are silent for as long as they like.
        bodyTimeout: 0
      })
    ),
    (pool) => Effect.promise(() => pool.destroy())
  )

  let waiting = 0

  const perform = (request: UpstreamRequest, call: UpstreamCall) =>
    Effect.callback<UpstreamResponse, UpstreamError>((resume) => {
      waiting++
      call.onSettled = (result) => {
        waiting--
        resume(Effect.fromResult(result))
      }
      if (waiting > maxWaiting) {
        call.refuse(new UpstreamUnavailable({ detail: `${maxWaiting} requests wait for the MCP server` }))
        return
      }
      const options: Dispatcher.DispatchOptions = {
        // Any token is a method to undici; its type lists the common ones.
        method: request.method as Dispatcher.HttpMethod,
        path: request.target,
        headers: request.headers,
        body: request.body ?? null
      }
      try {
        pool.dispatch(options, call)
      } catch {
        // undici refuses, before anything is sent, what cannot be written to the wire.
        call.refuse(new UpstreamUnavailable({ detail: "the request cannot be written to the wire" }))
      }
      return Effect.sync(() => call.cancel())
    })

  return GatewayClient.of({
    send: (request) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          const call = new UpstreamCall(request.method, upstreamTimeoutMillis)
          return Effect.tap(restore(perform(request, call)), (response) =>
            // Until the head is there interrupting cancels; afterwards only a body that is still arriving needs it.
            response.body._tag === "Stream"
              ? Effect.addFinalizer(() => Effect.sync(() => call.cancel()))
              : Effect.void)
        })
      )
  })
})

/**
 * `GatewayClient` on `undici`: a keep-alive pool for the one upstream origin or Unix socket, byte-exact targets, no
 * decoding.
 *
 * The number of connections is not bounded, because every open event stream keeps one; the number of requests that wait
 * for an answer is.
 */
export const layer: Layer.Layer<GatewayClient, never, GatewayConfig> = Layer.effect(GatewayClient, make)

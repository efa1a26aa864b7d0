import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Readable } from "node:stream"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamRequest } from "../forward/GatewayClient.ts"
import { readAuthorities } from "./outbound/authorities.ts"
import { UpstreamConnections } from "./upstream/UpstreamConnections.ts"
import { type AnswerReceiver, UpstreamCall } from "./UpstreamCall.ts"

const make = Effect.gen(function*() {
  const { caFile, gatewayUrl, maxWaiting, upstreamIdleMillis, upstreamTimeoutMillis } = yield* GatewayConfig
  const secureContext = gatewayUrl.startsWith("https:") ? yield* readAuthorities(caFile) : undefined
  const connections = yield* Effect.acquireRelease(
    Effect.sync(() => new UpstreamConnections(gatewayUrl, upstreamIdleMillis, secureContext)),
    (connections) => Effect.promise(() => connections.destroy())
  )

  let waiting = 0
  const onSettled = () => void waiting--

  return UpstreamPool.of({
    send: (request, receiver, stream) => {
      const call = new UpstreamCall(request.method, upstreamTimeoutMillis, receiver, onSettled)
      waiting++
      if (waiting > maxWaiting) {
        call.refuse(new UpstreamUnavailable({ detail: `${maxWaiting} requests wait for the MCP server` }))
        return call
      }
      try {
        connections.dispatch({ request, stream }, call)
        if (stream === undefined) call.startClock()
      } catch {
        // undici refuses, before anything is sent, what cannot be written to the wire.
        call.refuse(new UpstreamUnavailable({ detail: "the request cannot be written to the wire" }))
      }
      return call
    }
  })
})

/** A request that was sent. */
export interface PendingCall {
  /** Gives it up; does nothing once the answer is over. */
  readonly cancel: () => void
  /** It is the MCP server's turn, to answer or to take more of the body: its time runs, unless it does already. */
  readonly startClock: () => void
  /** It is the client's turn. */
  readonly stopClock: () => void
}

/**
 * The connections to the MCP server: a keep-alive pool for the one upstream origin or Unix socket, byte-exact targets, no
 * decoding.
 *
 * The number of connections is not bounded, because every open event stream keeps one; the number of requests that wait
 * for an answer is.
 */
export class UpstreamPool extends Context.Service<UpstreamPool, {
  /**
   * Sends a request; the receiver may be told of its failure before this returns.
   *
   * @param stream the body, where it is still coming; `startClock` and `stopClock` say whose turn it is then
   */
  readonly send: (request: UpstreamRequest, receiver: AnswerReceiver, stream?: Readable) => PendingCall
}>()("mcp-authorizer/node/UpstreamPool") {
  static readonly layer: Layer.Layer<UpstreamPool, InvalidConfiguration, GatewayConfig> = Layer.effect(
    UpstreamPool,
    make
  )
}

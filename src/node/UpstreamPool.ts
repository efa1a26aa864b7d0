import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Readable } from "node:stream"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { noteSettings, perConfiguration } from "../config/perConfiguration.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import { type Passage, UpstreamShares } from "../fairness/UpstreamShares.ts"
import { tooManyWait, type UpstreamRequest } from "../forward/GatewayClient.ts"
import { readAuthorities } from "./outbound/authorities.ts"
import { UpstreamConnections } from "./upstream/UpstreamConnections.ts"
import { type AnswerReceiver, UpstreamCall } from "./UpstreamCall.ts"

const overlook = (): void => {}

/** That of a request which takes nobody's share, because it is refused. */
const outside: Passage = { settled: overlook, goesOn: () => false, ended: overlook }

const make = Effect.gen(function*() {
  const {
    caFile,
    gatewayUrl,
    maxStreams,
    maxUpstreamConnections: maxConnections,
    maxWaiting,
    upstreamIdleMillis,
    upstreamTimeoutMillis
  } = yield* GatewayConfig
  const secureContext = gatewayUrl.startsWith("https:") ? yield* readAuthorities(caFile) : undefined
  const connections = yield* Effect.acquireRelease(
    Effect.sync(() => new UpstreamConnections(gatewayUrl, upstreamIdleMillis, secureContext)),
    (connections) => Effect.promise(() => connections.destroy())
  )

  const shares = new UpstreamShares({ maxWaiting, maxConnections, maxStreams }, setImmediate)

  const dispatch = (request: UpstreamRequest, stream: Readable | undefined, call: UpstreamCall): void => {
    try {
      connections.dispatch({ request, stream }, call)
    } catch {
      // undici refuses, before anything is sent, what cannot be written to the wire.
      call.refuse(new UpstreamUnavailable({ detail: "the request cannot be written to the wire" }))
    }
  }

  const pool = UpstreamPool.of({
    send: (request, receiver, stream) => {
      let call: UpstreamCall | undefined
      const makeCall = (passage: Passage) =>
        call ??= new UpstreamCall(request.method, upstreamTimeoutMillis, receiver, passage)
      const passage = shares.enter(request.owner, (passage) => dispatch(request, stream, makeCall(passage)))
      const made = makeCall(passage ?? outside)
      if (passage === undefined) made.refuse(new UpstreamUnavailable({ detail: tooManyWait(shares.waiting) }))
      // The time for waiting for a connection counts, too.
      else if (stream === undefined) made.startClock()
      return made
    }
  })
  return noteSettings(pool, { gatewayUrl })
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
 * Bounded are the requests that wait for an answer, their connections, and the connections of answers that go on; each
 * caller has a share of them. Idle connections are at most as many as were in use.
 */
export class UpstreamPool extends Context.Service<UpstreamPool, {
  /**
   * Sends a request; the receiver may be told of its failure before this returns.
   *
   * @param stream the body, where it is still coming; `startClock` and `stopClock` say whose turn it is then
   */
  readonly send: (request: UpstreamRequest, receiver: AnswerReceiver, stream?: Readable) => PendingCall
}>()("mcp-authorizer/node/UpstreamPool") {
  static readonly layer: Layer.Layer<UpstreamPool, InvalidConfiguration, GatewayConfig> = perConfiguration(
    Layer.effect(UpstreamPool, make)
  )
}

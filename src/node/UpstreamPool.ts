import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Readable } from "node:stream"
import type { UpstreamSettings } from "../config/upstreamSettings.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import { type Passage, UpstreamShares } from "../fairness/UpstreamShares.ts"
import { type Dispatch, tooManyWait, type UpstreamRequest } from "../forward/GatewayClient.ts"
import type { UpstreamTls } from "./outbound/upstreamTls.ts"
import { UpstreamConnections } from "./upstream/UpstreamConnections.ts"
import { UpstreamCall } from "./UpstreamCall.ts"

const ignore = (): void => {}

/** The passage of a rejected request, which uses no share. */
const outside: Passage = { settled: ignore, goesOn: () => false, ended: ignore }

/**
 * Builds the function that sends requests over the connections to the MCP server: byte-exact targets, no decoding.
 *
 * Three numbers are limited: requests that wait for a response, their connections, and the connections of responses in
 * progress. Each caller has a share of them. There are at most as many idle connections as were in use. Connections
 * close with the scope.
 *
 * @param tls the TLS options; `undefined` without TLS
 */
export const makeDispatch = Effect.fnUntraced(function*({
  gatewayUrl,
  maxStreams,
  maxUpstreamConnections: maxConnections,
  maxWaiting,
  upstreamIdleMillis,
  upstreamTimeoutMillis
}: UpstreamSettings, tls: UpstreamTls | undefined): Effect.fn.Return<Dispatch, never, Scope.Scope> {
  const connections = yield* Effect.acquireRelease(
    Effect.sync(() => new UpstreamConnections(gatewayUrl, upstreamIdleMillis, tls)),
    (connections) => Effect.promise(() => connections.destroy())
  )

  const shares = new UpstreamShares({ maxWaiting, maxConnections, maxStreams }, setImmediate)

  const dispatch = (request: UpstreamRequest, stream: Readable | undefined, call: UpstreamCall): void => {
    try {
      connections.dispatch({ request, stream }, call)
    } catch {
      // undici rejects invalid fields before it sends anything.
      call.reject(new UpstreamUnavailable({ detail: "the request cannot be written to the wire" }))
    }
  }

  return (request, receiver, message) => {
    const stream = message === undefined || message instanceof Readable ? message : Readable.from(message)
    let call: UpstreamCall | undefined
    const makeCall = (passage: Passage) =>
      call ??= new UpstreamCall(request.method, upstreamTimeoutMillis, receiver, passage)
    const passage = shares.enter(request.owner, (passage) => dispatch(request, stream, makeCall(passage)))
    const made = makeCall(passage ?? outside)
    if (passage === undefined) made.reject(new UpstreamUnavailable({ detail: tooManyWait(shares.waiting) }))
    // The timeout includes the wait for a connection.
    else if (stream === undefined) made.startClock()
    return made
  }
})

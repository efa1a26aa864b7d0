import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type * as Http from "node:http"
import { dispatchThrough } from "../../forward/dispatchThrough.ts"
import { HttpApp } from "../../http/HttpApp.ts"
import { tracingOf } from "../../http/RequestTrace.ts"
import type { ServedServer } from "../../http/ServedServer.ts"
import { OpenSet } from "../OpenSet.ts"
import type { ExchangeServices } from "./ExchangeServices.ts"
import { NodeExchange } from "./NodeExchange.ts"
import { NodeRequestHead } from "./NodeRequestHead.ts"

/** The course of `HttpApp` on Node's own requests and responses. */
export interface Endpoint {
  /** @param awaitsContinue the client waits for `100 Continue` before it sends its body (RFC 9110, section 10.1.1) */
  readonly handle: (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => void
  /** Ends all open exchanges. Those without a response get an error response. */
  readonly shutDown: () => void
  /** How many exchanges are open. */
  readonly open: () => number
  /** Waits until no exchange is open. Call it only after the last call of `handle`. */
  readonly idle: Effect.Effect<void>
  /** Ends the open event streams, so that their clients reconnect; other responses continue. */
  readonly endStreams: () => void
}

/**
 * Builds the endpoint.
 *
 * It carries out the same course as `HttpApp`, but avoids fibers and streams where possible, because every tool call
 * passes here.
 */
export const makeEndpoint = Effect.gen(function*(): Effect.fn.Return<Endpoint, never, HttpApp> {
  const { serverOf, servers } = yield* HttpApp
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const open = new OpenSet<NodeExchange>()
  const shared = { run, minimumLevel: yield* References.MinimumLogLevel, open }
  const servicesOf = ({ client: { dispatch, send }, course }: ServedServer): ExchangeServices => ({
    ...shared,
    course,
    dispatch: dispatch ?? dispatchThrough(send, run),
    sendsArriving: dispatch !== undefined
  })
  const tracing = yield* Effect.withFiber((fiber) => Effect.succeed(tracingOf(fiber, clock)))
  const byServer = new Map(servers.map((server) => [server, servicesOf(server)]))
  return {
    handle: (request, response, awaitsContinue) => {
      const head = new NodeRequestHead(request)
      const server = serverOf(head)
      const exchange = server.course.begin(head, clock.currentTimeNanosUnsafe(), tracing)
      new NodeExchange(byServer.get(server) ?? servicesOf(server), exchange, { request, response, awaitsContinue })
        .start()
    },
    shutDown: () => open.now().forEach((exchange) => exchange.shutDown()),
    open: () => open.size,
    idle: Effect.callback<void>((resume) => {
      if (open.size === 0) return resume(Effect.void)
      open.onEmpty = () => resume(Effect.void)
    }),
    endStreams: () => open.now().forEach((exchange) => exchange.endStream())
  }
})

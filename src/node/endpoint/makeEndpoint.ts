import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type * as Http from "node:http"
import { dispatchThrough } from "../../forward/dispatchThrough.ts"
import { GatewayClient } from "../../forward/GatewayClient.ts"
import { HttpApp } from "../../http/HttpApp.ts"
import { OpenSet } from "../OpenSet.ts"
import type { ExchangeServices } from "./ExchangeServices.ts"
import { NodeExchange } from "./NodeExchange.ts"
import { NodeRequestHead } from "./NodeRequestHead.ts"

/** The course of `HttpApp` on Node's own requests and responses. */
export interface Endpoint {
  /** @param awaitsContinue the client sends its body when it is told to (RFC 9110, section 10.1.1) */
  readonly handle: (request: Http.IncomingMessage, response: Http.ServerResponse, awaitsContinue: boolean) => void
  /** Ends all exchanges that are not over: with a response where there was none yet. */
  readonly shutDown: Effect.Effect<void>
}

/**
 * Builds the endpoint.
 *
 * It takes the course of `HttpApp` without fibers and streams where none are needed: every call of a tool goes through it.
 */
export const makeEndpoint = Effect.gen(function*(): Effect.fn.Return<Endpoint, never, GatewayClient | HttpApp> {
  const { course } = yield* HttpApp
  const { dispatch, send } = yield* GatewayClient
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const services: ExchangeServices = {
    course,
    run,
    dispatch: dispatch ?? dispatchThrough(send, run),
    sendsArriving: dispatch !== undefined,
    minimumLevel: yield* References.MinimumLogLevel,
    open: new OpenSet()
  }
  return {
    handle: (request, response, awaitsContinue) => {
      const exchange = course.begin(new NodeRequestHead(request), clock.currentTimeNanosUnsafe())
      new NodeExchange(services, exchange, { request, response, awaitsContinue }).start()
    },
    shutDown: Effect.sync(() => services.open.now().forEach((exchange) => exchange.shutDown()))
  }
})

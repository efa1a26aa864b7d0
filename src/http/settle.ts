import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { preflight } from "./cors.ts"
import { errorContext, errorResponse, internalFault } from "./errorResponse.ts"
import type { Exchange } from "./Exchange.ts"
import { logFault } from "./fault.ts"
import { makeReceive } from "./receive.ts"
import type { FindRoute, Route } from "./route.ts"

/** What a request comes to, seen from the inside: how to answer one whose route and public URL are known. */
export type Dispatch<A> = (route: Route, base: string) => Effect.Effect<A, GatewayError, Scope.Scope>

/**
 * Brings a request to its end: a preflight is answered, others go through `dispatch`, and what that fails with, or dies
 * of, becomes an answer.
 *
 * @param routeOf where a request target goes
 */
export const makeSettle = (settings: GatewaySettings, routeOf: FindRoute) => {
  const receive = makeReceive(settings, routeOf)
  return <A>(
    exchange: Exchange,
    dispatch: Dispatch<A>
  ): Effect.Effect<A | HttpServerResponse.HttpServerResponse, never, Scope.Scope> =>
    Effect.suspend((): Effect.Effect<A | HttpServerResponse.HttpServerResponse, GatewayError, Scope.Scope> => {
      const { headers, method } = exchange.request
      if (method === "OPTIONS") return Effect.succeed(preflight(headers["access-control-request-headers"]))
      // Probes alone have no public URL, and need none.
      return Effect.flatMap(Effect.fromResult(receive(exchange)), (route) => dispatch(route, exchange.base ?? ""))
    }).pipe(
      Effect.catch((error) => {
        exchange.error = error
        return Effect.succeed(errorResponse(error, errorContext(settings, exchange)))
      }),
      Effect.catchDefect((defect) =>
        Effect.as(logFault(exchange, defect), internalFault(errorContext(settings, exchange)))
      )
    )
}

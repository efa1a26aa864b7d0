import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { ErrorStyle, GatewaySettings } from "../config/GatewaySettings.ts"
import { insertedMetadataUrl, metadataUrl, publicUrl } from "../discovery/publicUrl.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { preflight } from "./cors.ts"
import { type ErrorContext, errorResponse, internalFault } from "./errorResponse.ts"
import type { Exchange } from "./Exchange.ts"
import { logFault } from "./fault.ts"
import { requireHttp1 } from "./requireHttp1.ts"
import type { FindRoute, Route } from "./route.ts"

/**
 * Builds the function that says under which URL a request's client knows the gateway.
 *
 * It remembers its last answer: nearly all requests come to one host.
 */
const makeKnownAs = (settings: GatewaySettings) => {
  let last: { readonly asked: string; readonly answer: ReturnType<typeof publicUrl> } | undefined

  return ({ request, trustedPeer, wire }: Exchange) => {
    const authority = {
      host: wire.values("host"),
      forwardedHost: trustedPeer
        ? request.headers["x-forwarded-host"] ?? request.headers["x-original-host"]
        : undefined,
      forwardedProto: trustedPeer ? request.headers["x-forwarded-proto"] : undefined
    }
    const { forwardedHost = "", forwardedProto = "", host } = authority
    // No field holds a line break.
    const asked = `${forwardedHost}\n${forwardedProto}\n${host.join("\n")}`
    if (last?.asked !== asked) last = { asked, answer: publicUrl(settings.publicUrl, authority) }
    return last.answer
  }
}

/** Load balancers' probes are HTTP/1.0 at times, without a `Host`, and need none. */
const isProbe = (route: Route | undefined): boolean => route?._tag === "Health" || route?._tag === "Readiness"

const errorContext = (settings: GatewaySettings, route: Route | undefined, base: string | undefined): ErrorContext => {
  const style: ErrorStyle = settings.errorStyle === "jsonrpc" && route?._tag !== "Mcp" ? "oauth" : settings.errorStyle
  const url = base === undefined
    ? undefined
    : style === "rfc6750"
    ? insertedMetadataUrl(base, settings.path)
    : metadataUrl(base)
  return { style, resourceMetadata: url, requiredScopes: settings.requiredScopes }
}

/** What a request comes to, seen from the inside: how to answer one whose route and public URL are known. */
export type Dispatch<A> = (route: Route, base: string) => Effect.Effect<A, GatewayError, Scope.Scope>

/**
 * Brings a request to its end: a preflight is answered, others go through `dispatch`, and what that fails with, or dies
 * of, becomes an answer.
 *
 * @param routeOf where a request target goes
 */
export const makeSettle = (settings: GatewaySettings, routeOf: FindRoute) => {
  const knownAs = makeKnownAs(settings)
  return <A>(
    exchange: Exchange,
    dispatch: Dispatch<A>
  ): Effect.Effect<A | HttpServerResponse.HttpServerResponse, never, Scope.Scope> => {
    let context = errorContext(settings, undefined, undefined)
    return Effect.suspend((): Effect.Effect<A | HttpServerResponse.HttpServerResponse, GatewayError, Scope.Scope> => {
      const { request, wire } = exchange
      if (request.method === "OPTIONS") {
        return Effect.succeed(preflight(request.headers["access-control-request-headers"]))
      }
      const found = routeOf(wire.target)
      exchange.route = Result.getOrUndefined(found)
      const http1 = requireHttp1(wire)
      const base = Result.flatMap(http1, () => isProbe(exchange.route) ? Result.succeed("") : knownAs(exchange))
      // A probe has no base, and no challenge that would name one.
      context = errorContext(settings, exchange.route, Result.getOrUndefined(base) || undefined)
      return Effect.flatMap(Effect.fromResult(Result.all([found, base])), ([route, base]) => dispatch(route, base))
    }).pipe(
      Effect.catch((error) => {
        exchange.error = error
        return Effect.succeed(errorResponse(error, context))
      }),
      Effect.catchDefect((defect) => Effect.as(logFault(exchange, defect), internalFault(context)))
    )
  }
}

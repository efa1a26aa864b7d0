/**
 * The way of a request, from its arrival to its answer.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { isAllowedOrigin } from "../authorize/origin.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { ErrorStyle, GatewaySettings } from "../config/GatewaySettings.ts"
import { insertedMetadataUrl, metadataUrl, publicUrl } from "../discovery/publicUrl.ts"
import { AccessDenied, type GatewayError, MethodNotAllowed, NotFound } from "../errors/GatewayError.ts"
import { makeForward } from "../forward/forward.ts"
import { makeAccessLog } from "./accessLog.ts"
import { makeAdmit } from "./admit.ts"
import { corsHeaders, preflight } from "./cors.ts"
import { makeDiscovery } from "./discovery.ts"
import { type ErrorContext, errorResponse, internalFault } from "./errorResponse.ts"
import { begin, type Exchange } from "./Exchange.ts"
import { logFault } from "./fault.ts"
import { health, makeReadiness } from "./health.ts"
import { readBody } from "./readBody.ts"
import { relay } from "./relay.ts"
import { requireHttp1 } from "./requireHttp1.ts"
import { makeRoute, type Route } from "./route.ts"

type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, GatewayError, Scope.Scope>

const forwarded: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
const reading: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** A present `Origin` must be one that may call; native clients send none. */
const checkOrigin = ({ allowedOrigins }: GatewaySettings, exchange: Exchange): Effect.Effect<void, AccessDenied> => {
  const values = exchange.wire.values("origin")
  if (values.length === 0 || allowedOrigins._tag === "Any") return Effect.void
  const [origin, second] = values
  return origin !== undefined && second === undefined && isAllowedOrigin(allowedOrigins, origin)
    ? Effect.void
    : Effect.fail(new AccessDenied({ reason: "Origin", detail: "the Origin is not in MCP_ALLOWED_ORIGINS" }))
}

const only = (methods: ReadonlySet<string>, method: string): Effect.Effect<void, MethodNotAllowed> =>
  methods.has(method) ? Effect.void : Effect.fail(new MethodNotAllowed({ allow: [...methods, "OPTIONS"] }))

/** The URL under which this request's client knows the gateway. */
const knownAs = (settings: GatewaySettings, { request, trustedPeer, wire }: Exchange) =>
  publicUrl(settings.publicUrl, {
    host: wire.values("host"),
    forwardedHost: trustedPeer
      ? request.headers["x-forwarded-host"] ?? request.headers["x-original-host"]
      : undefined,
    forwardedProto: trustedPeer ? request.headers["x-forwarded-proto"] : undefined
  })

/** Load balancers' probes are HTTP/1.0 at times, without a `Host`, and need none. */
const isProbe = (route: Route | undefined): boolean => route?._tag === "Health" || route?._tag === "Readiness"

/** Headers that every answer carries, on top of its own. */
const decorate = (
  settings: GatewaySettings,
  exchange: Exchange,
  route: Route | undefined,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const isPublic = route?._tag === "ProtectedResource" || route?._tag === "AuthorizationServer"
  const cors = corsHeaders(
    isPublic ? { _tag: "Any" } : settings.allowedOrigins,
    exchange.origin,
    settings.traceHeader
  )
  const vary = response.headers["vary"]
  if (vary !== undefined && cors["vary"] !== undefined) cors["vary"] = `${vary}, ${cors["vary"]}`
  return HttpServerResponse.setHeaders(response, { ...cors, [settings.traceHeader]: exchange.traceId })
}

const make = Effect.gen(function*() {
  const settings = yield* GatewayConfig
  const routeOf = makeRoute(settings.path, settings.publicUrl)
  const discovery = yield* makeDiscovery(settings)
  const readiness = yield* makeReadiness(settings.authEnabled)
  const admit = yield* makeAdmit(settings)
  const forward = yield* makeForward(settings)
  const accessLog = yield* makeAccessLog

  /** The protected endpoint: who calls, may they, what do they send, and on it goes. */
  const mcp = Effect.fnUntraced(function*(
    exchange: Exchange,
    { query, rest }: Extract<Route, { _tag: "Mcp" }>
  ): Effect.fn.Return<HttpServerResponse.HttpServerResponse, GatewayError, Scope.Scope> {
    const { request, traceId, trustedPeer } = exchange
    yield* checkOrigin(settings, exchange)
    const admission = yield* admit(exchange, query)
    yield* only(forwarded, request.method)
    const body = yield* readBody(request, settings.maxBodyBytes)
    const { headers, method } = request
    return relay(yield* forward({ admission, method, rest, query, headers, body, traceId, trustedPeer }))
  })

  const dispatch = (exchange: Exchange, route: Route, base: string): Answer => {
    switch (route._tag) {
      case "Mcp":
        return mcp(exchange, route)
      case "ProtectedResource":
        return Effect.as(only(reading, exchange.request.method), discovery.protectedResource(base))
      case "AuthorizationServer":
        return Effect.andThen(only(reading, exchange.request.method), discovery.authorizationServer(route.document))
      case "Health":
        return Effect.as(only(reading, exchange.request.method), health)
      case "Readiness":
        return Effect.andThen(only(reading, exchange.request.method), readiness)
      case "Unknown":
        return Effect.fail(new NotFound())
    }
  }

  const errorContext = (route: Route | undefined, base: string | undefined): ErrorContext => {
    const isMessage = route?._tag === "Mcp"
    const style: ErrorStyle = settings.errorStyle === "jsonrpc" && !isMessage ? "oauth" : settings.errorStyle
    const url = base === undefined
      ? undefined
      : style === "rfc6750"
      ? insertedMetadataUrl(base, settings.path)
      : metadataUrl(base)
    return { style, resourceMetadata: url, requiredScopes: settings.requiredScopes }
  }

  /** Finds the route, lets it answer, and turns what it fails with into an answer. */
  const answer = (exchange: Exchange): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope.Scope> => {
    let context = errorContext(undefined, undefined)
    let route: Route | undefined
    return Effect.suspend((): Answer => {
      const { request, wire } = exchange
      if (request.method === "OPTIONS") {
        return Effect.succeed(preflight(request.headers["access-control-request-headers"]))
      }
      const found = routeOf(wire.target)
      route = Result.getOrUndefined(found)
      const http1 = requireHttp1(wire)
      const base = Result.flatMap(http1, () => isProbe(route) ? Result.succeed("") : knownAs(settings, exchange))
      context = errorContext(route, Result.getOrUndefined(base))
      return Effect.flatMap(
        Effect.fromResult(Result.all([found, base])),
        ([route, base]) => dispatch(exchange, route, base)
      )
    }).pipe(
      Effect.catch((error) => {
        exchange.error = error
        return Effect.succeed(errorResponse(error, context))
      }),
      Effect.catchDefect((defect) => Effect.as(logFault(exchange, defect), internalFault(context))),
      Effect.map((response) => decorate(settings, exchange, route, response))
    )
  }

  const handle = Effect.gen(function*() {
    const exchange = yield* begin(settings, yield* HttpServerRequest.HttpServerRequest)
    // At the end of the body, not of the head: the duration of a stream is its own.
    yield* Effect.addFinalizer((exit) => accessLog(exchange, exit))
    // The server runs handlers uninterruptibly, but a client that leaves before the head is there cancels the request.
    const response = yield* Effect.interruptible(answer(exchange))
    exchange.status = response.status
    return response
  })

  return HttpApp.of({ handle })
})

/**
 * The gateway as one effect from a request to its answer.
 *
 * Serve it with `HttpServer.serve`, or as a Web handler with `HttpEffect.toWebHandler`. Everything that differs between
 * products is in the layers that it needs: settings, token verification, and the way to the MCP server.
 */
export class HttpApp extends Context.Service<HttpApp, {
  /** Answers the current request, whatever happens; the scope lives until the answer's body has ended. */
  readonly handle: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest.HttpServerRequest | Scope.Scope
  >
}>()("mcp-authorizer/http/HttpApp") {
  /** The gateway of the settings at hand. */
  static readonly layer = Layer.effect(HttpApp, make)
}

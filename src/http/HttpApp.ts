/**
 * The way of a request, from its arrival to its answer.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { perConfiguration, requireOwnServices } from "../config/perConfiguration.ts"
import { type GatewayError, NotFound } from "../errors/GatewayError.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeForward } from "../forward/forward.ts"
import { GatewayClient } from "../forward/GatewayClient.ts"
import type { CutReason } from "../forward/responseLife.ts"
import { makeSessionSeal, sessionField } from "../forward/SessionSeal.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { brokenOff, makeAccessLog } from "./accessLog.ts"
import { makeAdmit } from "./admit.ts"
import { ownerOf } from "./asker.ts"
import { makeBodyMemory } from "./bodyMemory.ts"
import { decorate } from "./decorate.ts"
import { makeDiscovery } from "./discovery.ts"
import { begin, type Exchange } from "./Exchange.ts"
import { health, makeReadiness } from "./health.ts"
import { forwarded, only, reading } from "./methods.ts"
import { readBody } from "./readBody.ts"
import { relay } from "./relay.ts"
import { makeRoute, type Route } from "./route.ts"
import { type Dispatch, makeSettle } from "./settle.ts"

const make = Effect.gen(function*() {
  const settings = yield* GatewayConfig
  const settle = makeSettle(settings, makeRoute(settings.path, settings.publicUrl))
  const discovery = yield* makeDiscovery(settings)
  const readiness = yield* makeReadiness(settings.authEnabled)
  const admit = yield* makeAdmit(settings)
  const forward = yield* makeForward(settings)
  const sessions = yield* makeSessionSeal(settings)
  const accessLog = yield* makeAccessLog
  // Where requests may not wait for each other, the platform bounds the memory.
  const memoryFor = (yield* SharedIo) ? makeBodyMemory(settings) : () => Effect.void

  /** The protected endpoint: who calls, may they, what do they send, and on it goes. */
  const mcp = Effect.fnUntraced(function*(
    exchange: Exchange,
    request: HttpServerRequest.HttpServerRequest,
    { query, rest }: Extract<Route, { _tag: "Mcp" }>
  ): Effect.fn.Return<HttpServerResponse.HttpServerResponse, GatewayError, Scope.Scope> {
    const { traceId, trustedPeer } = exchange
    const { headers, method } = request
    const admission = yield* admit(exchange, query)
    yield* only(forwarded, method)
    const session = yield* sessions.open(admission.identity, headers[sessionField])
    const owner = ownerOf(settings.trustedProxies, exchange, admission.identity)
    yield* memoryFor(headers, owner)
    const body = yield* readBody(request, settings.maxBodyBytes)
    const onCut = (reason: CutReason) =>
      Effect.sync(() => {
        exchange.ended = reason
      })
    const answer = yield* forward(
      { admission, method, rest, query, headers, traceId, trustedPeer, session, owner },
      body,
      onCut
    )
    const own = answer.headers[sessionField]
    if (session === undefined || own === undefined) return relay(answer)
    const sealed = { [sessionField]: yield* sessions.seal(session, own) }
    return relay({ ...answer, headers: { ...answer.headers, ...sealed } })
  })

  const handle = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const exchange = begin(settings, request, yield* Clock.currentTimeNanos)

    const dispatch: Dispatch<HttpServerResponse.HttpServerResponse> = (route, base) => {
      const { method } = request
      switch (route._tag) {
        case "Mcp":
          return mcp(exchange, request, route)
        case "ProtectedResource":
        case "AuthorizationServer":
          return discovery(route, method, base)
        case "Health":
          return Effect.as(only(reading, method), health)
        case "Readiness":
          return Effect.andThen(only(reading, method), readiness)
        case "Unknown":
          return Effect.fail(new NotFound())
      }
    }

    // At the end of the body, not of the head: the duration of a stream is its own.
    yield* Effect.addFinalizer((exit) => accessLog(exchange, exchange.ended ?? brokenOff(exit)))
    // The server runs handlers uninterruptibly, but a client that leaves before the head is there cancels the request.
    const response = decorate(settings, exchange, yield* Effect.interruptible(settle(exchange, dispatch)))
    exchange.status = response.status
    return response
  })

  return HttpApp.of({ handle })
})

const requireOwn = Effect.gen(function*() {
  yield* requireOwnServices(yield* GatewayConfig, {
    TokenVerifier: yield* TokenVerifier,
    GatewayClient: yield* GatewayClient
  })
})

/** A gateway as a function of the Web platform. */
export interface WebHandler {
  readonly handler: (request: Request) => Promise<Response>
  /** Closes what the layers opened; every call gives the same promise. */
  readonly dispose: () => Promise<void>
}

/**
 * The gateway as one effect from a request to its answer.
 *
 * Serve it with `HttpServer.serve`, or as a Web handler with `HttpApp.toWebHandler`. Everything that differs between
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
  static readonly layer = perConfiguration(
    Layer.effect(HttpApp, Effect.andThen(requireOwn, make)).pipe(
      Layer.provide([Digest.layerWebCrypto, Mac.layerWebCrypto]),
      Layer.provide(SecureRandom.layerWebCrypto)
    )
  )

  /**
   * Turns a gateway into a plain `(request: Request) => Promise<Response>`: for Workers, Deno, Bun, a Next.js route, or
   * a test without a socket.
   *
   * The layers are built at once. When that fails, with `InvalidConfiguration` for one, every request rejects with the
   * error.
   *
   * **Example**
   *
   * ```ts
   * import * as Layer from "effect/Layer"
   * import { GatewayConfig, HttpApp, layerGateway } from "mcp-authorizer"
   *
   * const { dispose, handler } = HttpApp.toWebHandler(layerGateway.pipe(
   *   Layer.provide(GatewayConfig.layer({
   *     server_url: "https://mcp.internal.example/mcp",
   *     jwt_issuer: "https://your-tenant.authkit.app"
   *   }))
   * ))
   * ```
   */
  static readonly toWebHandler = <E>(layer: Layer.Layer<HttpApp, E>): WebHandler => {
    const { dispose, handler } = HttpEffect.toWebHandlerLayerWith(layer, {
      toHandler: (context) => Effect.succeed(Context.get(context, HttpApp).handle)
    })
    return { dispose, handler: (request) => handler(request) }
  }
}

import * as Context from "effect/Context"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { requireScopes } from "../authorize/requireScopes.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { type GatewayError, NotFound } from "../errors/GatewayError.ts"
import { rewriteRequest } from "../forward/message/requestMessage.ts"
import { makeAccessLog } from "../http/accessLog.ts"
import { makeAdmit } from "../http/admit.ts"
import { commonHeaders, decorate } from "../http/decorate.ts"
import { makeDiscovery } from "../http/discovery.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import { readBody } from "../http/readBody.ts"
import { type FindRoute, makeRoute, type Route } from "../http/route.ts"
import { makeSettle } from "../http/settle.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ToolScopes } from "./RequiredScopes.ts"
import { makeSessionSeal } from "./SessionSeal.ts"

/** A request whose caller is known and may go on. */
export interface Admitted {
  readonly _tag: "Admitted"
  readonly identity: Identity
  /** The request to hand on: with the server's own session id, and without the `Origin`, which was judged here. */
  readonly request: HttpServerRequest.HttpServerRequest
  /** The server's own session id, if the request has one. */
  readonly sessionId: string | undefined
  /** The body, where it had to be read; the request has it, too. */
  readonly body: Uint8Array | undefined
  /** The fields to set on the answer, given its own. */
  readonly answerHeaders: (own: {
    readonly vary: string | undefined
    readonly sessionId: string | undefined
  }) => Effect.Effect<Readonly<Record<string, string>>>
}

/** What becomes of a request: it is answered here, or goes on. */
export type Judgement =
  | { readonly _tag: "Answered"; readonly response: HttpServerResponse.HttpServerResponse }
  | Admitted

const sessionField = "mcp-session-id"

/**
 * Everything but the well-known paths is protected: the host decides which paths come here. Of those, what is no
 * document of ours is unknown, never protected: a client that looks for one must not be asked for a token.
 */
const makeGuardedRoute = (path: string, publicUrl: string | undefined): FindRoute => {
  const routeOf = makeRoute(path, publicUrl)
  return (target) => {
    if (target.startsWith("/.well-known/")) return routeOf(target)
    const mark = target.indexOf("?")
    return Result.succeed({ _tag: "Mcp", rest: "", query: mark === -1 ? "" : target.slice(mark + 1) })
  }
}

const switchedOff = new InvalidConfiguration({
  problems: [{
    setting: "MCP_AUTH_ENABLED",
    source: undefined,
    problem: "is false, but an embedded server cannot be called by nobody",
    cure: "Remove it, and configure static tokens for development; or leave the authentication layer out"
  }]
})

/** The settings, if a server can be embedded with them. */
export const embeddable = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> =>
  settings.authEnabled ? Result.succeed(settings) : Result.fail(switchedOff)

const make = Effect.gen(function*() {
  const settings = yield* Effect.fromResult(embeddable(yield* GatewayConfig))
  const settle = makeSettle(settings, makeGuardedRoute(settings.path, settings.publicUrl))
  const discovery = yield* makeDiscovery(settings)
  const admit = yield* makeAdmit(settings)
  const accessLog = yield* makeAccessLog
  const seal = yield* makeSessionSeal

  /** The server's own session id, if the request has one; another caller's is not found. */
  const openSession = Effect.fnUntraced(function*(sealed: string | undefined, identity: Identity) {
    if (sealed === undefined) return undefined
    const id = yield* seal.open(identity, sealed)
    return id === undefined ? yield* new NotFound() : id
  })

  const requireToolScopes = Effect.fnUntraced(function*(body: Uint8Array, identity: Identity, toolScopes: ToolScopes) {
    const { tools } = yield* Effect.fromResult(rewriteRequest(body, { authContext: undefined }))
    yield* Effect.fromResult(requireScopes(settings, identity, tools.flatMap(toolScopes)))
  })

  const protect = Effect.fnUntraced(function*(
    exchange: Exchange,
    query: string,
    toolScopes: ToolScopes | undefined
  ): Effect.fn.Return<Judgement, GatewayError> {
    const { identity } = yield* admit(exchange, query)
    if (identity === undefined) return yield* Effect.die("admitted without an identity")
    const { headers } = exchange.request
    const sessionId = yield* openSession(headers[sessionField], identity)
    // Before the body is read: the request that has read it is the one that has it.
    const request = exchange.request.modify({
      headers: Headers.remove(
        sessionId === undefined ? headers : Headers.set(headers, sessionField, sessionId),
        "origin"
      )
    })
    const isCall = toolScopes !== undefined && request.method === "POST"
    const body = isCall ? yield* readBody(request, settings.maxBodyBytes) : undefined
    if (isCall && body !== undefined) yield* requireToolScopes(body, identity, toolScopes)
    return {
      _tag: "Admitted",
      identity,
      request,
      sessionId,
      body,
      answerHeaders: Effect.fnUntraced(function*({ sessionId, vary }) {
        const fields = commonHeaders(settings, exchange, vary)
        return sessionId === undefined ? fields : { ...fields, [sessionField]: yield* seal.seal(identity, sessionId) }
      })
    }
  })

  return Guard.of({
    judge: Effect.fnUntraced(function*(request, toolScopes) {
      const exchange = yield* begin(settings, request)
      const dispatch = (
        route: Route,
        base: string
      ): Effect.Effect<Judgement | HttpServerResponse.HttpServerResponse, GatewayError> => {
        switch (route._tag) {
          case "Mcp":
            return protect(exchange, route.query, toolScopes)
          case "ProtectedResource":
          case "AuthorizationServer":
            return discovery(route, request.method, base)
          default:
            return Effect.fail(new NotFound())
        }
      }
      const judged = yield* Effect.interruptible(settle(exchange, dispatch))
      if (!HttpServerResponse.isHttpServerResponse(judged)) return judged
      const response = decorate(settings, exchange, judged)
      exchange.status = response.status
      if (exchange.error !== undefined) yield* accessLog(exchange, Exit.void)
      return { _tag: "Answered", response }
    })
  })
})

/**
 * Judges requests for servers that embed the gateway: who calls, and may they.
 *
 * `Authentication.layer` and `makeFetchMiddleware` stand on it; use it yourself to protect a server of another kind.
 * What it lets in is not logged, what it refuses is, with the true reason.
 */
export class Guard extends Context.Service<Guard, {
  /**
   * Answers preflights, discovery documents, and what is not let in; gives the caller of everything else.
   *
   * @param toolScopes scopes by tool; given, the body of a `POST` is read (at most `MCP_MAX_BODY_BYTES`) and judged
   */
  readonly judge: (
    request: HttpServerRequest.HttpServerRequest,
    toolScopes?: ToolScopes
  ) => Effect.Effect<Judgement, never, Scope.Scope>
}>()("mcp-authorizer/embed/Guard") {
  /** Fails with `InvalidConfiguration` where the settings switch authentication off. */
  static readonly layer = Layer.effect(Guard, make).pipe(
    Layer.provide(Mac.layerWebCrypto),
    Layer.provide(SecureRandom.layerWebCrypto)
  )
}

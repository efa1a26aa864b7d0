import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { requireScopes } from "../authorize/requireScopes.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { perConfiguration, requireOwnServices } from "../config/perConfiguration.ts"
import { logWarnings } from "../config/warnings.ts"
import { type GatewayError, InvalidRequest, NotFound, type UpstreamUnavailable } from "../errors/GatewayError.ts"
import { isEventStream } from "../forward/isEventStream.ts"
import { bufferingField, unbuffered } from "../forward/responseHeaders.ts"
import { limitStream, responseLife } from "../forward/responseLife.ts"
import { makeSessionSeal, sessionField } from "../forward/SessionSeal.ts"
import { makeAccessLog, makeCallerOf } from "../http/accessLog.ts"
import { makeAdmit } from "../http/admit.ts"
import { commonHeaders, decorate } from "../http/decorate.ts"
import { makeDiscovery } from "../http/discovery.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import { only } from "../http/methods.ts"
import { readBody, readNoContent } from "../http/readBody.ts"
import { documentPaths, type FindRoute, makeRoute, type Route } from "../http/route.ts"
import { makeSettle } from "../http/settle.ts"
import type { Identity } from "../identity/Identity.ts"
import { rewriteRequest } from "../message/requestMessage.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { embeddable } from "./embeddable.ts"
import { frozen } from "./frozen.ts"
import { handedOn } from "./handedOn.ts"
import type { ToolScopes } from "./requireToolScopes.ts"

/** A request whose caller is known and may go on. */
export interface Admitted {
  readonly _tag: "Admitted"
  readonly identity: Identity
  /** Trace id, provider, and a digest of issuer and subject: for the handler's log entries and spans. */
  readonly annotations: Readonly<Record<string, string>>
  /**
   * The request to hand on: with the server's own session id, without the `Origin`, which was judged here, without the
   * token, and without what claims to say who calls.
   */
  readonly request: HttpServerRequest.HttpServerRequest
  /** The body, where it had to be read; the request has it, too. */
  readonly body: Uint8Array | undefined
  /** What becomes of the answer, by its status and its own fields. */
  readonly finish: (status: number, field: (name: string) => string | undefined) => Effect.Effect<Finish>
}

/** What an answer to an admitted request still needs. */
export interface Finish {
  /** The fields to set. */
  readonly fields: Readonly<Record<string, string>>
  /**
   * What its body is to go through, if anything. An event stream that only listens ends with its token; one that answers a
   * message breaks off after `MCP_RESPONSE_TIMEOUT` where its token has ended meanwhile. Either is logged.
   */
  readonly limit:
    | (<E>(body: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E | UpstreamUnavailable>)
    | undefined
}

/** What becomes of a request: it is answered here, or goes on. */
export type Judgement =
  | { readonly _tag: "Answered"; readonly response: HttpServerResponse.HttpServerResponse }
  | Admitted

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

const exposeField = "access-control-expose-headers"

// With these a tool can be called, or there is no body in which one could be.
const judgeable: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE"])

const make = Effect.gen(function*() {
  const settings = yield* Effect.fromResult(embeddable(yield* GatewayConfig))
  yield* requireOwnServices(settings, { TokenVerifier: yield* TokenVerifier })
  yield* logWarnings(settings)
  const settle = makeSettle(settings, makeGuardedRoute(settings.path, settings.publicUrl))
  const discovery = yield* makeDiscovery(settings)
  const admit = yield* makeAdmit(settings)
  const accessLog = yield* makeAccessLog
  const callerOf = yield* makeCallerOf
  const sessions = yield* makeSessionSeal(settings)
  // What cuts a body is run by whoever reads it.
  const context = yield* Effect.context<never>()

  /** The body in which tools can be called; other methods have none, or are refused. */
  const readMessages = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest) {
    yield* only(judgeable, request.method)
    if (request.method === "POST") return yield* readBody(request, settings.maxBodyBytes)
    // Whatever the fields say: a Web request may have a body without a length.
    return yield* readNoContent(
      request,
      new InvalidRequest({ reason: "MalformedMessage", detail: `a body on ${request.method}` })
    )
  })

  /** Judges the tools that are called; gives whether the message opens a stream of notifications. */
  const judgeTools = Effect.fnUntraced(function*(body: Uint8Array, identity: Identity, toolScopes: ToolScopes) {
    const { listens, tools } = yield* Effect.fromResult(rewriteRequest(body, { authContext: undefined }))
    yield* Effect.fromResult(requireScopes(settings, identity, tools.flatMap(toolScopes)))
    return listens
  })

  const protect = Effect.fnUntraced(function*(
    exchange: Exchange,
    arrived: HttpServerRequest.HttpServerRequest,
    query: string,
    toolScopes: ToolScopes | undefined
  ): Effect.fn.Return<Judgement, GatewayError> {
    const admitted = yield* admit(exchange, query)
    if (admitted.identity === undefined) return yield* Effect.die("admitted without an identity")
    const identity = frozen(admitted.identity)
    const { headers } = arrived
    const session = yield* sessions.open(identity, headers[sessionField])
    // Before the body is read: the request that has read it is the one that has it.
    const request = arrived.modify({
      headers: handedOn(
        session?.id === undefined ? headers : Headers.set(headers, sessionField, session.id),
        settings.forwardAuthorization
      )
    })
    const body = toolScopes === undefined ? undefined : yield* readMessages(request)
    const listens = toolScopes !== undefined && body !== undefined
      ? yield* judgeTools(body, identity, toolScopes)
      // A server of MCP 2026-07-28 refuses a message that its fields do not agree with.
      : request.method === "GET" || headers["mcp-method"] === "subscriptions/listen"
    return {
      _tag: "Admitted",
      identity,
      annotations: { trace_id: exchange.traceId, ...(yield* callerOf(identity)) },
      request,
      body,
      finish: Effect.fnUntraced(function*(status, field) {
        const fields = commonHeaders(settings, exchange, field("vary"))
        const exposed = field(exposeField)
        if (exposed !== undefined) fields[exposeField] = `${fields[exposeField]}, ${exposed}`
        const ownSession = field(sessionField)
        if (session !== undefined && ownSession !== undefined) {
          fields[sessionField] = yield* sessions.seal(session, ownSession)
        }
        const isStream = isEventStream(field("content-type"))
        if (isStream && field(bufferingField) === undefined) fields[bufferingField] = unbuffered
        if (!isStream) return { fields, limit: undefined }
        const nowMillis = yield* Clock.currentTimeMillis
        const life = responseLife(settings, identity, { listens, nowMillis, type: field("content-type") })
        if (life === undefined) return { fields, limit: undefined }
        exchange.status = status
        const onCut = Effect.provideContext(accessLog(exchange, life.reason), context)
        return { fields, limit: limitStream(life, onCut) }
      })
    }
  })

  return Guard.of({
    documents: documentPaths(settings.path, settings.publicUrl),
    judge: Effect.fnUntraced(function*(request, toolScopes) {
      const exchange = begin(settings, request, yield* Clock.currentTimeNanos)
      const dispatch = (
        route: Route,
        base: string
      ): Effect.Effect<Judgement | HttpServerResponse.HttpServerResponse, GatewayError> => {
        switch (route._tag) {
          case "Mcp":
            return protect(exchange, request, route.query, toolScopes)
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
      if (exchange.error !== undefined) yield* accessLog(exchange, undefined)
      return { _tag: "Answered", response }
    })
  })
})

/**
 * Judges requests for servers that embed the gateway: who calls, and may they.
 *
 * `Authentication.layer` and `makeFetchMiddleware` stand on it; use it yourself to protect a server of another kind.
 * What it lets in is not logged, what it refuses is, with the true reason.
 *
 * **Example** (any server that speaks in Web requests)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Guard } from "mcp-authorizer"
 *
 * const answer = Effect.fnUntraced(function*(request: Request) {
 *   const { judge } = yield* Guard
 *   const judged = yield* judge(HttpServerRequest.fromWeb(request))
 *   return judged._tag === "Answered"
 *     ? HttpServerResponse.toWeb(judged.response)
 *     : new Response(`hello ${judged.identity.subject}`)
 * })
 * ```
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
  /** The paths of the discovery documents, for hosts that route by path. */
  readonly documents: ReadonlyArray<HttpRouter.PathInput>
}>()("mcp-authorizer/embed/Guard") {
  /** Fails with `InvalidConfiguration` where the settings switch authentication off. */
  static readonly layer: Layer.Layer<
    Guard,
    InvalidConfiguration,
    GatewayConfig | TokenVerifier | ProviderMetadata
  > = perConfiguration(
    Layer.effect(Guard, make).pipe(
      Layer.provide([Digest.layerWebCrypto, Mac.layerWebCrypto]),
      Layer.provide(SecureRandom.layerWebCrypto)
    )
  )
}

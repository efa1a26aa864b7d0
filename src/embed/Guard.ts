import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { AuditLog } from "../audit/AuditLog.ts"
import type { Admission } from "../authorize/Admission.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { perConfiguration, requireOwnServices } from "../config/perConfiguration.ts"
import { logWarnings } from "../config/warnings.ts"
import { type GatewayError, NotFound } from "../errors/GatewayError.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeSessionSeal, sessionField } from "../forward/SessionSeal.ts"
import { logFault, makeAccessLog, makeCallerOf } from "../http/accessLog.ts"
import { makeAudit, withAudit } from "../http/audit.ts"
import { awaitMemory, makeBodyMemory } from "../http/bodyMemory.ts"
import { makeArrival } from "../http/course/arrival.ts"
import { makeLimiter } from "../http/course/limiting.ts"
import { makeMethodWithoutToken } from "../http/course/methodWithoutToken.ts"
import { makeOpenSession } from "../http/course/openSession.ts"
import { makeOwnResponses } from "../http/course/ownResponses.ts"
import { makePerform } from "../http/course/perform.ts"
import type { Next, ReadBody } from "../http/course/steps.ts"
import { makeDiscovery } from "../http/discovery.ts"
import { drive } from "../http/drive.ts"
import type { OnError } from "../http/errorResponse.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import { readBody } from "../http/readBody.ts"
import type { Route } from "../http/route.ts"
import { documentPaths } from "../http/routes.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { noUpstream } from "../upstream/UpstreamAuthorizer.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Admitted, GuardResult } from "./Admitted.ts"
import { makeCheckMessage } from "./checkMessage.ts"
import { embeddable } from "./embeddable.ts"
import { makeFinish } from "./finish.ts"
import { known, makeGuardedRoute, tokenOf, withLength, withScopes } from "./guarding.ts"
import { handlerFields } from "./handlerFields.ts"
import type { ToolScopes } from "./requireToolScopes.ts"

export type { Admitted, GuardResult } from "./Admitted.ts"
export type { Finish } from "./finish.ts"

type Outcome<Caller extends Identity | undefined> = Omit<Admitted<Caller>, "annotations">

const webCrypto = Layer.merge(
  Digest.layerWebCrypto,
  Layer.provideMerge(Mac.layerWebCrypto, SecureRandom.layerWebCrypto)
)

/** The options of a host for its guard. */
export interface GuardOptions {
  /** The scopes that tools require in addition to those that every request requires, for the metadata. */
  readonly toolScopes?: ReadonlyArray<string> | undefined
  /** Seals session ids and computes digests of callers for the log. Default: Web Crypto. */
  readonly crypto?: Layer.Layer<Digest.Digest | Mac.Mac | SecureRandom.SecureRandom> | undefined
  /** Changes the responses to rejected requests, as for `HttpApp.layerWith`. */
  readonly onError?: OnError | undefined
}

const make = Effect.fnUntraced(function*({ onError, toolScopes = [] }: GuardOptions) {
  const settings = withScopes(yield* Effect.fromResult(embeddable(yield* GatewayConfig)), toolScopes)
  const verifier = yield* TokenVerifier
  yield* requireOwnServices(settings, { TokenVerifier: verifier })
  yield* logWarnings(settings)
  const callerOf = yield* makeCallerOf
  const sessions = yield* makeSessionSeal(settings)
  const responses = makeOwnResponses(settings, onError)
  const { reject } = responses
  const routeOf = makeGuardedRoute(settings)
  const arrive = makeArrival(settings, responses, routeOf, verifier.peek)
  const openSession = makeOpenSession(settings, responses)
  const clock = yield* Clock.Clock
  const methodWithoutToken = makeMethodWithoutToken(settings.policy)
  const discovery = yield* makeDiscovery(settings)
  const perform = makePerform({
    verifier,
    limiter: yield* makeLimiter(settings),
    sessions,
    upstream: noUpstream,
    discovery: (name, publicUrl) => name === "jwks" ? Effect.fail(new NotFound()) : discovery(name, publicUrl),
    // In an embedded server, the path of the gateway's readiness is an ordinary path of the server.
    readiness: Effect.fail(new NotFound()),
    // Embedded servers have no facade: `embeddable` rejects it.
    facade: () => Effect.fail(new NotFound())
  })
  const accessLog = yield* makeAccessLog(settings)
  const finish = yield* makeFinish(settings, sessions, responses, accessLog)
  // The response to an admitted request comes later, from the handler.
  const audit = yield* makeAudit(settings, undefined)
  const checkMessage = makeCheckMessage(
    settings,
    responses,
    () => clock.currentTimeMillisUnsafe(),
    audit !== undefined
  )
  const logAdmitted = withAudit(() => Effect.void, audit)
  const logResponded = withAudit(
    (exchange, ended) => exchange.error === undefined ? Effect.void : accessLog(exchange, ended),
    audit
  )

  // If requests may not wait for each other, the platform limits memory.
  const memory = makeBodyMemory(settings, yield* SharedIo)

  /** Reads a body once there is memory for it. */
  const read = <A>(
    request: HttpServerRequest.HttpServerRequest,
    step: ReadBody<A>
  ): Effect.Effect<Next<A>, never, Scope.Scope> =>
    Effect.matchEffect(step.limit === 0 ? Effect.void : awaitMemory(memory, withLength(request.headers), step.owner), {
      onSuccess: () => readBody(request, step),
      onFailure: (error) => Effect.succeed(step.rejected(error))
    })

  /**
   * Carries out the course of a request.
   *
   * @param callerOfAdmission returns the caller, or the error for a request that needs one
   */
  const checkWith = <Caller extends Identity | undefined>(
    callerOfAdmission: (admission: Admission | undefined) => Result.Result<Caller, GatewayError>
  ) =>
    Effect.fnUntraced(function*(
      arrived: HttpServerRequest.HttpServerRequest,
      toolScopes?: ToolScopes
    ): Effect.fn.Return<GuardResult<Caller>, never, Scope.Scope> {
      const exchange = begin(settings, arrived, yield* Clock.currentTimeNanos)
      const { headers, method } = arrived
      let request = arrived

      const admitted = (
        _: Exchange,
        admission: Admission | undefined,
        { query }: Route
      ): Next<Outcome<Caller>> => {
        const usable = admission === undefined
          ? Result.andThen(callerOfAdmission(admission), () => methodWithoutToken(method))
          : Result.void
        if (Result.isFailure(usable)) return reject(exchange, usable.failure)
        return openSession(exchange, admission, (session) => {
          // Lists in an encoded response could not be filtered.
          const readable = settings.policy === undefined ? headers : Headers.set(headers, "accept-encoding", "identity")
          // Built before the body is read, because the request object that reads the body also stores it.
          request = arrived.modify({
            headers: handlerFields(
              session === undefined
                ? readable
                : session.id === undefined
                ? Headers.remove(readable, sessionField)
                : Headers.set(readable, sessionField, session.id),
              settings
            )
          })
          // Servers of MCP 2026-07-28 reject a message that differs from its fields.
          const byHead = method === "GET" || headers["mcp-method"] === "subscriptions/listen"
          return checkMessage(exchange, admission, toolScopes, (allowed, body, listens = byHead) => {
            const caller = callerOfAdmission(allowed)
            if (Result.isFailure(caller)) return reject(exchange, caller.failure)
            const identity = caller.success
            return {
              _tag: "Ready",
              value: {
                _tag: "Admitted",
                identity,
                request,
                body,
                token: () => tokenOf(settings, exchange, query),
                finish: finish({ exchange, identity, session, listens })
              }
            }
          })
        })
      }

      const last = yield* Effect.suspend(() =>
        drive(perform, (step: ReadBody<Outcome<Caller>>) => read(request, step), arrive(exchange, admitted))
      ).pipe(
        Effect.catchDefect((defect) => Effect.as(logFault(exchange, defect), responses.fault(exchange))),
        Effect.interruptible
      )
      if (last._tag === "Ready") {
        const { value } = last
        const { identity } = value
        exchange.wasSent = true
        yield* logAdmitted(exchange, undefined)
        const caller = identity === undefined ? {} : yield* callerOf(identity)
        return { ...value, annotations: { trace_id: exchange.traceId, ...caller } }
      }
      yield* logResponded(exchange, undefined)
      return { _tag: "Responded", response: last.response, error: exchange.error }
    })

  return Guard.of({
    documents: documentPaths(settings),
    check: checkWith<Identity>(known),
    admit: checkWith<Identity | undefined>((admission) =>
      admission?.identity === undefined ? Result.succeed(undefined) : known(admission)
    )
  })
})

/**
 * Checks requests for servers that embed the gateway: identifies the caller, and admits or rejects the request.
 *
 * `Authentication.layer` and `makeFetchMiddleware` use it. Use it directly to protect a server of another kind.
 * Rejections are logged with their true reason; admitted requests are not. The audit log (`AuditLog`) contains both.
 *
 * **Example** (any server that handles Web requests)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Guard } from "mcp-authorizer"
 *
 * const respond = Effect.fnUntraced(function*(request: Request) {
 *   const { check } = yield* Guard
 *   const result = yield* check(HttpServerRequest.fromWeb(request))
 *   return result._tag === "Responded"
 *     ? HttpServerResponse.toWeb(result.response)
 *     : new Response(`hello ${result.identity.subject}`)
 * })
 * ```
 */
export class Guard extends Context.Service<Guard, {
  /**
   * Responds to preflights, to requests for discovery documents, and to rejected requests. Admits all others.
   *
   * @param toolScopes scopes by tool. If given, the body of a `POST` is read (at most `MCP_MAX_BODY_BYTES`) and checked
   */
  readonly check: (
    request: HttpServerRequest.HttpServerRequest,
    toolScopes?: ToolScopes
  ) => Effect.Effect<GuardResult, never, Scope.Scope>
  /**
   * Like `check`, but also admits requests without a caller that rules permit to anyone. `check` rejects these with
   * 401.
   *
   * For handlers that do not need the caller, and for handlers that also work without one.
   */
  readonly admit: (
    request: HttpServerRequest.HttpServerRequest,
    toolScopes?: ToolScopes
  ) => Effect.Effect<GuardResult<Identity | undefined>, never, Scope.Scope>
  /** The paths of the discovery documents, for hosts that route by path. */
  readonly documents: ReadonlyArray<HttpRouter.PathInput>
}>()("mcp-authorizer/embed/Guard") {
  /**
   * The guard of the settings, with options of the host.
   *
   * Fails with `InvalidConfiguration` if the settings switch authentication off, or do not fit an embedded server.
   */
  static readonly layerWith = (
    options: GuardOptions
  ): Layer.Layer<Guard, InvalidConfiguration, GatewayConfig | TokenVerifier | ProviderMetadata> =>
    perConfiguration(
      Layer.effect(Guard, make(options)).pipe(Layer.provide([options.crypto ?? webCrypto, AuditLog.layerConsole]))
    )

  /**
   * For a server whose tools require these scopes, in addition to those that every request requires: the protected
   * resource metadata lists them. Fails with `InvalidConfiguration` if the settings switch authentication off.
   */
  static readonly layerWithScopes = (
    toolScopes: ReadonlyArray<string>
  ): Layer.Layer<Guard, InvalidConfiguration, GatewayConfig | TokenVerifier | ProviderMetadata> =>
    Guard.layerWith({ toolScopes })

  /** The guard of a server whose tools require no scopes of their own. */
  static readonly layer: Layer.Layer<Guard, InvalidConfiguration, GatewayConfig | TokenVerifier | ProviderMetadata> =
    Guard.layerWithScopes([])
}
